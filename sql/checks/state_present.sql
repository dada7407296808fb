-- severity: error
-- description: every state of the area has counties and parcels
select state.state_id
from core.state
left join (select distinct state_id from core.county) as county using (state_id)
left join (select distinct state_id from core.parcel) as parcel using (state_id)
where
    (county.state_id is null or parcel.state_id is null)
    and (list_contains((select area from meta.run), 'conus') or list_contains((select area from meta.run), state.state_id));
