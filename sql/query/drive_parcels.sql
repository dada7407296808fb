-- The first parcels of a workload, or those named, each with the metro that is nearest in a straight line.
select
    score.rank,
    parcel.parcel_id,
    parcel.parcel_name,
    county.county_name || ', ' || parcel.state_id as county_name,
    parcel.lon,
    parcel.lat,
    metric.metro_id,
    metric.metro_name,
    metric.metro_mi,
    metro.lon as metro_lon,
    metro.lat as metro_lat
from core.parcel
inner join core.parcel_metric as metric using (parcel_id)
left join mart.parcel_score as score on parcel.parcel_no = score.parcel_no and score.workload = $workload
left join core.county on parcel.county_id = county.county_id
left join core.metro on metric.metro_id = metro.metro_id
where case when len($parcel_ids) = 0 then score.rank is not null else list_contains($parcel_ids, parcel.parcel_id) end
order by score.rank nulls last, parcel.parcel_id
limit $n;
