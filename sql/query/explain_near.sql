-- Nearest by the sphere; what is printed is measured on the ellipsoid.
select
    parcel_id,
    parcel_name,
    rank,
    score,
    gate_status,
    lon,
    lat
from (
    select
        parcel.parcel_id,
        parcel.parcel_name,
        score.rank,
        score.score,
        score.gate_status,
        parcel.lon,
        parcel.lat,
        pow(sin(radians(parcel.lat - $lat) / 2), 2)
        + cos(radians(parcel.lat)) * cos(radians($lat)) * pow(sin(radians(parcel.lon - $lon) / 2), 2) as haversine
    from mart.parcel_score as score
    inner join core.parcel using (parcel_no)
    where
        score.workload = $workload
        and (score.rank <= $most_rank or (score.score >= $least_score and list_contains($statuses, score.gate_status)))
        and parcel.parcel_id <> $parcel_id
)
order by haversine, parcel_id
limit $count;
