create macro mart.rank_parcels(workload_id, weights := map {}) as table
with weighed as (
    select mart.scaled_weights('rank_parcels', workload_id, weights := weights) as share
),

scored as (
    select
        factor.parcel_no,
        -- Without weights, the points of the profile to the last bit; else value scores count in whole millionths, as
        -- the map page reads them.
        sum(round(coalesce(
            case
                when cardinality(weights) = 0 then factor.points * 1e9
                else 100 * weighed.share[factor.metric] * round(factor.value_score * 1e6) * 1e3
            end, 0
        ))::bigint)::bigint as low
    from mart.parcel_factor as factor
    cross join weighed
    where factor.workload = workload_id and weighed.share is not null
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
