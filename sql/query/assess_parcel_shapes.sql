select
    parcel.parcel_no,
    parcel.geometry
from core.parcel
semi join (select unnest($parcel_no) as parcel_no) as asked on parcel.parcel_no = asked.parcel_no
order by parcel.parcel_no;
