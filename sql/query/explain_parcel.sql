select
    parcel.parcel_id,
    parcel.parcel_kind,
    parcel.parcel_name,
    county.county_name,
    parcel.state_id,
    zone.zone_name,
    parcel.lon,
    parcel.lat,
    parcel.area_acres,
    metric.known_share,
    metric.excluded_share,
    metric.buildable_acres,
    metric.contiguous_acres,
    metric.minimum_width_m,
    metric.slope_mean_pct,
    metric.slope_max_pct,
    metric.gentle_share,
    metric.distance_basis,
    metric.headroom_substation_id,
    metric.headroom_substation_mi,
    metric.headroom_mw_low,
    metric.headroom_mw_mid,
    metric.headroom_mw_high
from core.parcel
inner join core.parcel_metric as metric using (parcel_id)
left join core.county on parcel.county_id = county.county_id
left join core.zone on parcel.zone_id = zone.zone_id
where parcel.parcel_id = $parcel_id;
