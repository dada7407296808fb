create macro mart.what_if_parcels(
    workload_id, weights := map {}, gates := map {}, fixed := map {}, times := map {}, instead := map {}
) as table
with factor as (
    select
        metric,
        -- Without weights, those of the study to the last bit.
        case
            when cardinality(weights::map(varchar, double)) = 0 then weight
            else coalesce(map_extract_value(weights::map(varchar, double), metric), profile_weight)
        end as weight
    from meta.factor
    where workload = workload_id and not is_removed
),

gate as (
    select
        metric,
        case
            when at_least is not null
                then coalesce(map_extract_value(gates::map(varchar, double), metric), at_least)
        end as at_least,
        case
            when at_most is not null
                then coalesce(map_extract_value(gates::map(varchar, double), metric), at_most)
        end as at_most
    from meta.gate
    where workload = workload_id and not is_removed
),

used as (
    select metric from factor
    union
    select metric from gate
),

-- One row, or the sentence that says which name is wrong.
checked as (
    select
        case
            when (select count(*) from factor) = 0
                then error('what_if_parcels: there is no workload ' || workload_id)
            when not list_has_all((select list(metric) from factor), map_keys(weights::map(varchar, double)))
                then error('what_if_parcels: weights name a metric that is no factor in use of ' || workload_id)
            when not list_has_all(
                coalesce((select list(metric) from gate), []), map_keys(gates::map(varchar, double))
            )
                then error('what_if_parcels: gates name a metric that is no gate in use of ' || workload_id)
            when not list_has_all(
                (select list(metric) from used),
                list_concat(
                    map_keys(fixed::map(varchar, double)),
                    map_keys(times::map(varchar, double)),
                    map_keys(instead::map(varchar, varchar))
                )
            )
                then error(
                    'what_if_parcels: fixed, times or instead name a metric that is neither factor nor gate in use of '
                    || workload_id
                )
            when not list_has_all(
                (select list(metric) from meta.metric), map_values(instead::map(varchar, varchar))
            )
                then error('what_if_parcels: instead gives a metric that there is not')
            when (select min(weight) < 0 or sum(weight) = 0 from factor)
                then error('what_if_parcels: weights must not be negative, nor all be 0')
            when cardinality(weights::map(varchar, double)) = 0 then 1
            else (select sum(weight) from factor)
        end as weight
),

changed as (
    select
        measured.parcel_no,
        used.metric,
        coalesce(map_extract_value(fixed::map(varchar, double), used.metric), measured.value)
        * coalesce(map_extract_value(times::map(varchar, double), used.metric), 1) as value
    from mart.parcel_metric_value as measured
    inner join used
        on measured.metric = coalesce(map_extract_value(instead::map(varchar, varchar), used.metric), used.metric)
),

scored as (
    select
        changed.parcel_no,
        -- Whole billionths, so that the order of the sum cannot change a rank.
        sum(round(
            100 * (factor.weight / checked.weight)
            * least(greatest(segment.from_value + segment.slope * (changed.value - segment.from_x), 0), 1) * 1e9
        )::bigint)::bigint as low
    from changed
    inner join factor using (metric)
    cross join checked
    inner join meta.value_segment as segment
        on
            segment.workload = workload_id
            and changed.metric = segment.metric
            and changed.value >= segment.from_x
            and changed.value < segment.to_x
    where checked.weight > 0
    group by changed.parcel_no
),

judged as (
    select
        changed.parcel_no,
        list(changed.metric order by changed.metric) filter (
            where (changed.value >= gate.at_least or changed.value <= gate.at_most) is not true
        ) as gates_failed,
        count(*) as known_count
    from changed
    inner join gate using (metric)
    group by changed.parcel_no
),

parcel_status as (
    select
        parcel.parcel_no,
        coalesce(scored.low, 0) as low,
        case
            when judged.gates_failed is not null then 'fail'
            when coalesce(judged.known_count, 0) < (select count(*) from gate) then 'unknown'
            else 'pass'
        end as gate_status,
        coalesce(judged.gates_failed, []) as gates_failed
    from core.parcel
    cross join checked
    left join scored using (parcel_no)
    left join judged using (parcel_no)
    where checked.weight > 0
)

select
    case when status.gate_status <> 'fail' then
        row_number() over (
            partition by status.gate_status = 'fail'
            order by status.gate_status = 'unknown', status.low desc, score.parcel_id
        )
    end as rank,
    score.parcel_id,
    parcel.parcel_name,
    parcel.county_id,
    parcel.state_id,
    status.low / 1e9 as score,
    status.gate_status,
    status.gates_failed,
    score.rank as profile_rank,
    score.score as profile_score,
    parcel.lon,
    parcel.lat,
    parcel.geometry
from mart.parcel_score as score
inner join parcel_status as status using (parcel_no)
inner join core.parcel using (parcel_no)
where score.workload = workload_id
order by rank nulls last, score.parcel_id;
comment on macro table mart.what_if_parcels is
'Rank parcels again under other weights, bounds of gates and values: from mart.what_if_parcels(''inference'', gates := map {''headroom_mw_mid'': 50}, times := map {''headroom_mw_mid'': 0.8}, fixed := map {''industrial_usd_per_mwh'': 55}, instead := map {''people_10ms_mid'': ''people_20ms_mid''}). `times` multiplies a metric, `fixed` sets it wherever it is known, `instead` reads another one in its place; what is not named stays as in the profile. In an attached build, USE it first';
