select
    metro_id,
    metro_name as name,
    metro_people as people,
    is_major,
    lon,
    lat
from mart.metro
where $shown
order by metro_id;
