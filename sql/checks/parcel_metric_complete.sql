-- severity: error
-- description: every parcel has one row of metrics
select parcel.parcel_id
from core.parcel
full join core.parcel_metric using (parcel_id)
where parcel.parcel_id is null or parcel_metric.parcel_id is null;
