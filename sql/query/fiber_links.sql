select * exclude (geometry)
from mart.fiber_link
order by link_id;
