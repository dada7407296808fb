select
    node_id,
    tail_km,
    people
from mart.fiber_people
order by node_id, tail_km, people;
