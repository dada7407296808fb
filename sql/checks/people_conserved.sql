-- severity: error
-- description: the people at points sum to the census of the states within one in ten thousand
select points.people, census.people as census_people
from (select sum(people) as people from core.people) as points,
    (select sum(population_people) as people from core.state) as census
where
    abs(points.people / census.people - 1) > 1e-4
    -- A study may count people on a raster alone.
    or (points.people is null and not exists (from mart.people_state where method = 'raster_cell'));
