select
    parcel_no,
    parcel_kind,
    lon,
    lat
from core.parcel
order by parcel_no;
