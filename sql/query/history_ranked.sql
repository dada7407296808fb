select
    region_kind,
    region_id,
    region_name,
    rank,
    score,
    score_low,
    score_high,
    gate_status,
    capacity_mw,
    filled_share,
    best_parcel_id,
    case when rank is null then reason end as unranked_why
from mart.region_rank
where workload = $workload
union all
select
    'parcel' as region_kind,
    score.parcel_id as region_id,
    parcel.parcel_name as region_name,
    score.rank,
    score.score,
    score.score_low,
    score.score_high,
    score.gate_status,
    null as capacity_mw,
    null as filled_share,
    null as best_parcel_id,
    null as unranked_why
from mart.parcel_score as score
inner join core.parcel using (parcel_no)
where score.workload = $workload and score.rank <= $parcels
order by region_kind, region_id;
