select * exclude (geometry)
from mart.fiber_node
order by node_id;
