-- severity: error
-- description: the people at points sum to the census of the states within one in ten thousand
select points.people, census.people as census_people
from (select sum(people) as people from core.people) as points,
    (select sum(population_people) as people from core.state) as census
where points.people is null or abs(points.people / census.people - 1) > 1e-4;
