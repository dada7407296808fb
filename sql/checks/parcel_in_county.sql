-- severity: error
-- description: every parcel lies in a county of the study and has a state
select parcel.parcel_id
from core.parcel
left join core.county using (county_id)
where county.county_id is null or parcel.state_id is null;
