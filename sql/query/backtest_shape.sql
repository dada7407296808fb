select
    parcel_no,
    geometry
from core.parcel
where parcel_no in (select unnest($parcel_nos))
order by parcel_no;
