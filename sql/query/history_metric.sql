select
    measured.*,
    parcel.parcel_no
from core.parcel
inner join core.parcel_metric as measured using (parcel_id)
order by parcel.parcel_no;
