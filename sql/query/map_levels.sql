select region_kind as level, count(*) as count from mart.region group by region_kind;
