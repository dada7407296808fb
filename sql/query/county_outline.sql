select
    county_id,
    county_name,
    state_id,
    geometry
from core.county
order by county_id;
