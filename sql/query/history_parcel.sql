select
    parcel.parcel_id,
    parcel.parcel_name,
    parcel.county_id,
    county.county_name,
    parcel.state_id
from core.parcel
left join core.county using (county_id)
order by parcel.parcel_no;
