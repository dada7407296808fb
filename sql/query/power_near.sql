select * exclude (geometry, source_id)
from mart.substation
where lat between $lat - $reach_lat and $lat + $reach_lat and lon between $lon - $reach_lon and $lon + $reach_lon
order by substation_id;
