create macro mart.rank_regions(workload_id, kind, weights := map {}) as table
with weighed as (
    select
        case
            when kind not in ('county', 'metro', 'state', 'zone')
                then error('rank_regions: there is no kind ' || kind || ': county, metro, state, zone')
            else mart.scaled_weights('rank_regions', workload_id, weights := weights)
        end as share
),

scored as (
    select
        factor.region_id,
        -- Value scores count in whole millionths, as the map page reads them.
        sum(round(coalesce(
            100 * weighed.share[factor.metric] * round(factor.value_score * 1e6) * 1e3, 0
        ))::bigint)::bigint as units
    from mart.region_factor as factor
    cross join weighed
    where factor.workload = workload_id and factor.region_kind = kind and weighed.share is not null
    group by factor.region_id
),

-- Without weights, the score of the profile to the last bit.
chosen as (
    select
        ranked.*,
        case when cardinality(weights) = 0 then ranked.score else scored.units / 1e9 end as new_score
    from mart.region_rank as ranked
    inner join scored using (region_id)
    where ranked.workload = workload_id and ranked.region_kind = kind and ranked.rank is not null
)

select
    row_number() over (
        order by chosen.gate_status = 'unknown', chosen.new_score desc, chosen.region_id
    ) as rank,
    chosen.region_id,
    chosen.region_name,
    region.state_id,
    chosen.new_score as score,
    chosen.rank as profile_rank,
    chosen.gate_status,
    region.lon,
    region.lat,
    region.geometry
from chosen
inner join mart.region using (region_kind, region_id)
order by rank;
comment on macro table mart.rank_regions is
'Rank regions again under other weights: from mart.rank_regions(''training'', ''county'', weights := map {''headroom_mw_mid'': 0.5}). Each keeps its plan in mart.region_fill; weights not named stay as in the profile; all are scaled to sum to 1; gates stay. In an attached build, USE it first';
