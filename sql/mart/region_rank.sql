create table mart.region_rank (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    region_name varchar,
    rank bigint,
    score double,
    score_low double,
    score_high double,
    gate_status varchar,
    capacity_mw double,
    filled_share double,
    substation_count bigint,
    candidate_count bigint,
    parcel_count bigint,
    best_parcel_id varchar,
    best_parcel_score double,
    reason varchar
);
comment on table mart.region_rank is
'Rank of every region for every workload; the score is about what can be built there, up to the target';
comment on column mart.region_rank.workload is 'Workload';
comment on column mart.region_rank.region_kind is 'county, metro, state or zone';
comment on column mart.region_rank.region_id is 'Region';
comment on column mart.region_rank.region_name is 'Name of the region';
comment on column mart.region_rank.rank is 'Rank within its kind, from 1; NULL when nothing can be built, see reason';
comment on column mart.region_rank.score is
'Mean score of the best parcels weighted by the megawatts they bring, times the share of the target they fill';
comment on column mart.region_rank.score_low is 'The score that ranks it: unknown factors at their worst';
comment on column mart.region_rank.score_high is 'The same with unknown factors at their best';
comment on column mart.region_rank.gate_status is
'pass, or unknown when no parcel passes all gates for sure; NULL when unranked';
comment on column mart.region_rank.capacity_mw is 'Megawatts of the target that its substations fill';
comment on column mart.region_rank.filled_share is 'Share of the target that they fill';
comment on column mart.region_rank.substation_count is 'Substations used';
comment on column mart.region_rank.candidate_count is 'Parcels that fail no gate';
comment on column mart.region_rank.parcel_count is 'Parcels';
comment on column mart.region_rank.best_parcel_id is 'Best parcel';
comment on column mart.region_rank.best_parcel_score is 'Its score';
comment on column mart.region_rank.reason is 'Why it stands where it stands, or why it is not ranked';

insert into mart.region_rank by name
with filled as (
    select
        fill.workload,
        fill.region_kind,
        fill.region_id,
        min(fill.gate_status) as gate_status,
        sum(fill.used_mw::decimal(18, 3)) as capacity_mw,
        count(*) as substation_count,
        min_by(fill.parcel_id, fill.fill_no) as best_parcel_id,
        min_by(fill.parcel_no, fill.fill_no) as best_parcel_no,
        min_by(fill.score, fill.fill_no) as best_parcel_score,
        sum(round(fill.used_mw * 1000)::hugeint * round(fill.score * 1e9)::hugeint) as low_units,
        sum(round(fill.used_mw * 1000)::hugeint * round(fill.score_high * 1e9)::hugeint) as high_units
    from mart.region_fill as fill
    group by fill.workload, fill.region_kind, fill.region_id
),

-- Two largest and the smallest contribution of the best parcel, in words.
strength as (
    select
        filled.workload,
        filled.region_kind,
        filled.region_id,
        string_agg(
            factor.label || ' ' || staging.figure(factor.value, metric.unit), '; '
            order by factor.points desc, factor.metric
        ) filter (where factor.points_rank <= 2) as best_factors,
        -- Named against it only when it costs a point, and never what is named for it.
        min_by(
            factor.label || ' ' || staging.figure(factor.value, metric.unit), factor.loss_rank
        ) filter (where factor.points_rank > 2 and factor.loss >= 1) as worst_factor
    from filled
    inner join (
        select
            *,
            row_number() over (
                partition by workload, parcel_no order by points desc, metric
            ) as points_rank,
            100 * weight - points as loss,
            row_number() over (
                partition by workload, parcel_no order by 100 * weight - points desc, metric
            ) as loss_rank
        from staging.best_factor
        where points is not null and parcel_no in (select best_parcel_no from filled)
    ) as factor
        on filled.workload = factor.workload and filled.best_parcel_no = factor.parcel_no
    inner join meta.metric as metric on factor.metric = metric.metric
    group by all
),

counted as (
    select workload, region_kind, region_id, sum(candidate_count)::bigint as candidate_count
    from staging.region_gate
    group by workload, region_kind, region_id
),

failed as (
    select workload, region_kind, region_id, string_agg(
        failed_count || ' fail ' || label, ', ' order by failed_count desc, label
    ) as failures
    from (
        select
            gated.workload,
            gated.region_kind,
            gated.region_id,
            metric.label,
            sum(gated.parcel_count)::bigint as failed_count
        from staging.region_gate as gated, unnest(gated.gates_failed) as gate (metric_name)
        inner join meta.metric on gate.metric_name = metric.metric
        group by all
    )
    group by workload, region_kind, region_id
),

scored as (
    select
        workload.workload,
        region.region_kind,
        region.region_id,
        region.region_name,
        filled.gate_status,
        filled.capacity_mw::double as capacity_mw,
        filled.capacity_mw::double / workload.target_mw as filled_share,
        coalesce(filled.substation_count, 0) as substation_count,
        coalesce(counted.candidate_count, 0) as candidate_count,
        region.parcel_count,
        filled.best_parcel_id,
        filled.best_parcel_score,
        filled.low_units::double / (workload.target_mw * 1000) / 1e9 as score,
        filled.high_units::double / (workload.target_mw * 1000) / 1e9 as score_high,
        workload.target_mw,
        strength.best_factors,
        strength.worst_factor,
        failed.failures
    from mart.region
    cross join meta.workload
    left join filled using (workload, region_kind, region_id)
    left join strength using (workload, region_kind, region_id)
    left join counted using (workload, region_kind, region_id)
    left join failed using (workload, region_kind, region_id)
)

select
    workload,
    region_kind,
    region_id,
    region_name,
    case when score is not null then
        row_number() over (
            partition by workload, region_kind, score is null
            order by gate_status = 'unknown', score desc, region_id
        )
    end as rank,
    score,
    score as score_low,
    score_high,
    gate_status,
    capacity_mw,
    filled_share,
    substation_count,
    candidate_count,
    parcel_count,
    best_parcel_id,
    best_parcel_score,
    case
        when score is not null then
            format('{:,} of {:,} MW at {} substation{}; ', round(capacity_mw)::bigint, round(target_mw)::bigint,
                substation_count, case when substation_count = 1 then '' else 's' end)
            || coalesce('for it: ' || best_factors, 'none of its factors is known')
            || coalesce('; against it: ' || worst_factor, '')
            || case when gate_status = 'unknown' then '; a gate cannot be judged' else '' end
        when parcel_count = 0 then 'has no parcel: smaller than one, or outside the area that was run'
        when candidate_count > 0 then 'no headroom is known within reach of its parcels'
        else 'no parcel passes the gates: ' || failures
    end as reason
from scored
order by workload, region_kind, rank nulls last, region_id;
