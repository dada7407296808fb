select * from meta.check_result order by severity, check_name;
