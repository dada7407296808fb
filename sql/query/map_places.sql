select
    place_name as name,
    state_id as state,
    place_people as people,
    lon,
    lat
from core.place
where $shown
order by place_people desc nulls last, place_name, place_id;
