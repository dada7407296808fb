select * from mart.substation order by substation_id;
