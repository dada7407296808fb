create macro mart.rank_parcels(workload_id, weights := map {}) as table
with weighed as (
    select
        workload,
        metric,
        rowid as factor_no,
        coalesce(map_extract_value(weights::map(varchar, double), metric), profile_weight) as weight
    from meta.factor
    where workload = workload_id and not is_removed
),

total as (
    select
        case
            when count(*) = 0 then error('rank_parcels: there is no workload ' || workload_id)
            when not list_has_all(list(metric), map_keys(weights::map(varchar, double)))
                then error('rank_parcels: weights name a metric that is no factor in use of ' || workload_id)
            when min(weight) < 0 or sum(weight) = 0
                then error('rank_parcels: weights must not be negative, nor all be 0')
            else sum(weight order by factor_no)
        end as weight
    from weighed
),

scored as (
    select
        factor.parcel_no,
        -- Without weights, the points of the profile to the last bit; else value scores count in whole millionths, as
        -- the map page reads them.
        sum(round(coalesce(
            case
                when cardinality(weights) = 0 then factor.points * 1e9
                else 100 * (weighed.weight / total.weight) * round(factor.value_score * 1e6) * 1e3
            end, 0
        ))::bigint)::bigint as low
    from mart.parcel_factor as factor
    inner join weighed using (workload, metric)
    cross join total
    where factor.workload = workload_id and total.weight > 0
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
'Rank parcels again under other weights: from mart.rank_parcels(''training'', weights := map {''headroom_mw_mid'': 0.5}). Weights not named stay as in the profile; all are scaled to sum to 1; gates stay. In an attached build, USE it first';
