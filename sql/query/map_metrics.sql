select * from meta.metric order by metric;
