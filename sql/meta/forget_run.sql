delete from meta.run;
delete from meta.check_result;
