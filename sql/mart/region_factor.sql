create table mart.region_factor (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    metric varchar,
    weight double,
    value_score double,
    points double
);
comment on table mart.region_factor is
'What each weighted factor brings to each region, given its plan in mart.region_fill: its points sum to the score';
comment on column mart.region_factor.workload is 'Workload';
comment on column mart.region_factor.region_kind is 'county, metro, state or zone';
comment on column mart.region_factor.region_id is 'Region';
comment on column mart.region_factor.metric is 'Metric of the factor';
comment on column mart.region_factor.weight is 'Weight in this study, 0 to 1';
comment on column mart.region_factor.value_score is
'Value scores of the plan''s parcels weighted by the megawatts they bring, over the target: what is not filled counts 0, and so does a parcel of which it is unknown; NULL where it is unknown of all';
comment on column mart.region_factor.points is 'Part of the score, 0 to 100 times the weight; NULL is unknown';

insert into mart.region_factor by name
with brought as (
    select
        fill.workload,
        fill.region_kind,
        fill.region_id,
        factor.metric,
        factor.weight,
        workload.target_mw,
        -- Whole numbers, so that the order of the sum changes nothing.
        sum(round(fill.used_mw * 1000)::hugeint * round(factor.value_score * 1e9)::hugeint) as units
    from mart.region_fill as fill
    inner join staging.best_factor as factor using (workload, parcel_no)
    inner join meta.workload as workload on fill.workload = workload.workload
    group by all
)

select
    workload,
    region_kind,
    region_id,
    metric,
    weight,
    units::double / (target_mw * 1000) / 1e9 as value_score,
    100 * weight * value_score as points
from brought
order by workload, region_kind, region_id, metric;
