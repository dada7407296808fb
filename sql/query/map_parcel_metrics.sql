select metric.* exclude (parcel_id)
from core.parcel
left join core.parcel_metric as metric using (parcel_id)
order by parcel.parcel_no;
