-- severity: error
-- description: the points of every layer lie in the box of the 48 states, none at 0 degrees or with latitude and longitude swapped
with point as (
    select 'substation' as layer, substation_id as id, lon, lat from core.substation
    union all
    select 'plant', plant_id, lon, lat from core.plant
    union all
    select 'retiring_plant', plant_id, lon, lat from core.retiring_plant
    union all
    select 'people', people_id, lon, lat from core.people
    union all
    select 'metro', metro_id, lon, lat from core.metro
    union all
    select 'pop', pop_id, lon, lat from core.pop
    union all
    select 'facility', facility_id, lon, lat from core.facility
    union all
    select 'ixp', ixp_id, lon, lat from core.ixp
    union all
    select 'climate_point', null, lon, lat from core.climate_point
    union all
    select 'land_value', null, lon, lat from core.land_value
    union all
    select 'developable', null, lon, lat from core.developable
)

select layer, id, lon, lat
from point
where (lon between -126.5 and -65.5 and lat between 23.5 and 50.5) is not true;
