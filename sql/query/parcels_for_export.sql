select
    score.* exclude (workload, parcel_no),
    parcel.parcel_name,
    parcel.parcel_kind,
    parcel.county_id,
    county.county_name,
    parcel.state_id,
    parcel.zone_id,
    metric.* exclude (parcel_id),
    parcel.lon,
    parcel.lat,
    parcel.geometry
from mart.parcel_score as score
inner join core.parcel using (parcel_no)
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
left join core.county on parcel.county_id = county.county_id
where score.workload = $workload and ($n is null or score.rank <= $n)
order by score.rank nulls last, score.parcel_id;
