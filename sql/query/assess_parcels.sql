select
    parcel.parcel_no,
    parcel.parcel_name,
    metric.*
from core.parcel
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
semi join (select unnest($parcel_no) as parcel_no) as asked on parcel.parcel_no = asked.parcel_no
order by parcel.parcel_no;
