create macro mart.rank_parcels(workload_id, weights := map {}) as table
with weighed as (
    select
        workload,
        metric,
        coalesce(map_extract_value(weights::map(varchar, double), metric), profile_weight) as weight
    from meta.factor
    where workload = workload_id and not is_removed
),

scored as (
    select
        factor.parcel_no,
        sum(round(coalesce(
            factor.value_score * weighed.weight / (select sum(weight) from weighed) * 100, 0
        ) * 1e9)::bigint)::bigint as low
    from mart.parcel_factor as factor
    inner join weighed using (workload, metric)
    where factor.workload = workload_id
    group by factor.parcel_no
)

select
    row_number() over (
        order by score.gate_status = 'unknown', scored.low desc, score.parcel_id
    ) as rank,
    score.parcel_id,
    parcel.parcel_name,
    parcel.county_id,
    parcel.state_id,
    scored.low / 1e9 as score,
    score.rank as profile_rank,
    score.gate_status,
    parcel.lon,
    parcel.lat,
    parcel.geometry
from mart.parcel_score as score
inner join scored using (parcel_no)
inner join core.parcel using (parcel_no)
where score.workload = workload_id and score.gate_status <> 'fail'
order by rank;
comment on macro table mart.rank_parcels is
'Rank parcels again under other weights: from mart.rank_parcels(''training'', weights := map {''headroom_mw_mid'': 0.5}). Weights not named stay as in the profile; all are scaled to sum to 1; gates stay';
