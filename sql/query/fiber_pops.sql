select
    pop_id,
    node_id,
    carrier_id,
    carrier_name
from mart.fiber_pop
order by pop_id;
