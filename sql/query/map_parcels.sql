select
    parcel.parcel_id,
    parcel.parcel_name,
    round(parcel.lon, 5) as lon,
    round(parcel.lat, 5) as lat,
    county.position as county
from core.parcel
left join (
    select
        region_id,
        row_number() over (order by region_id) - 1 as position
    from mart.region
    where region_kind = 'county'
) as county on parcel.county_id = county.region_id
order by parcel.parcel_no;
