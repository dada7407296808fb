select
    state_id,
    state_name
from core.state
order by state_id;
