select
    parcel_no::integer as parcel_no,
    rank::integer as rank,
    round(score * 1e9)::bigint as score_units,
    gate_status = 'unknown' as is_unknown
from mart.parcel_score
where workload = $workload and rank is not null
order by rank;
