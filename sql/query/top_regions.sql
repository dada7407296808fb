select
    region_rank.rank,
    region_rank.region_id,
    region_rank.region_name,
    region_rank.score,
    region_rank.score_low,
    region_rank.score_high,
    region_rank.gate_status,
    region_rank.capacity_mw,
    region_rank.filled_share,
    region_rank.substation_count,
    region_rank.best_parcel_id,
    region_rank.reason,
    region.lon,
    region.lat
from mart.region_rank
inner join mart.region using (region_kind, region_id)
where region_rank.workload = $workload and region_rank.region_kind = $level and region_rank.rank is not null
order by region_rank.rank
limit $n;
