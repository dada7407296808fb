select * from mart.metro order by metro_id;
