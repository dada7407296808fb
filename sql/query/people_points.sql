select
    people,
    lon,
    lat
from core.people
where people > 0
order by people_id;
