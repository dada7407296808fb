select state_id
from mart.people_state
where covered_share < 1
order by state_id;
