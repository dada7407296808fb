-- severity: warn
-- description: a raster that covers a state holds its census of people within one in ten
select state_id, source_people, census_people
from mart.people_state
where method = 'raster_cell' and covered_share = 1 and abs(source_people / census_people - 1) > 0.1;
