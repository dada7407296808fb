select
    region_id,
    region_name,
    state_id,
    lon,
    lat,
    population_people,
    area_sqmi,
    parcel_count,
    geometry
from mart.region
where region_kind = $level
order by region_id;
