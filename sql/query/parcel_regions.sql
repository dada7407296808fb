-- Where parcels lie: what they are of, and their outlines.
select
    county_id,
    metro_id,
    zone_id,
    geometry
from core.parcel
order by parcel_no;
