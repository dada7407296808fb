-- Parcels whose box holds a point, for points that lie in none of the parcels nearest to them.
with asked as (
    select
        unnest($point_no) as point_no,
        unnest($lon) as lon,
        unnest($lat) as lat
)

select
    asked.point_no,
    parcel.parcel_no,
    parcel.geometry
from asked
inner join core.parcel
    on parcel.geometry && ('POINT (' || asked.lon || ' ' || asked.lat || ')')::geometry('OGC:CRS84')
order by asked.point_no, parcel.parcel_no;
