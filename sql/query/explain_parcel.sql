select
    parcel.parcel_id,
    parcel.parcel_kind,
    parcel.parcel_name,
    county.county_name,
    parcel.state_id,
    zone.zone_name,
    parcel.lon,
    parcel.lat,
    parcel.area_acres
from core.parcel
left join core.county on parcel.county_id = county.county_id
left join core.zone on parcel.zone_id = zone.zone_id
where parcel.parcel_id = $parcel_id;
