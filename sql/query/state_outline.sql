select region_id, geometry from mart.region where region_kind = 'state' order by region_id;
