select
    metro_id,
    metro_name,
    metro_people,
    coalesce(is_major, false) as is_major,
    lon,
    lat
from core.metro
order by metro_id;
