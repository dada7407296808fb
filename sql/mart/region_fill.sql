create table mart.region_fill (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    fill_no bigint,
    parcel_id varchar,
    parcel_no bigint,
    substation_id varchar,
    score double,
    score_high double,
    gate_status varchar,
    capacity_mw double,
    used_mw double
);
comment on table mart.region_fill is
'How each region fills its workload''s target: its best parcel at each substation, in order, until the target is full';
comment on column mart.region_fill.workload is 'Workload';
comment on column mart.region_fill.region_kind is 'county, metro, state or zone';
comment on column mart.region_fill.region_id is 'Region';
comment on column mart.region_fill.fill_no is 'Order in which the parcels fill the target, from 1';
comment on column mart.region_fill.parcel_id is 'Best parcel of the region at that substation';
comment on column mart.region_fill.parcel_no is 'The same parcel, as in core.parcel';
comment on column mart.region_fill.substation_id is 'Feeding substation, counted once in a region';
comment on column mart.region_fill.score is 'Score of the parcel';
comment on column mart.region_fill.score_high is 'Score of the parcel with unknown factors at their best';
comment on column mart.region_fill.gate_status is 'pass or unknown';
comment on column mart.region_fill.capacity_mw is 'Mid headroom of the substation';
comment on column mart.region_fill.used_mw is 'Part of it that the target takes';

insert into mart.region_fill by name
with candidate as (
    select
        score.workload,
        score.parcel_id,
        score.parcel_no,
        score.score,
        score.score_high,
        score.gate_status,
        metric.headroom_substation_id as substation_id,
        case workload.capacity_metric
            when 'headroom_mw_low' then metric.headroom_mw_low
            when 'headroom_mw_mid' then metric.headroom_mw_mid
            when 'headroom_mw_high' then metric.headroom_mw_high
        end as capacity_mw,
        workload.target_mw,
        parcel.county_id as county,
        parcel.metro_id as metro,
        parcel.state_id as state,
        parcel.zone_id as zone
    from mart.parcel_score as score
    inner join meta.workload using (workload)
    inner join core.parcel using (parcel_id)
    inner join core.parcel_metric as metric using (parcel_id)
    where score.gate_status <> 'fail' and metric.headroom_substation_id is not null
),

located as (
    unpivot candidate on county, metro, state, zone into name region_kind value region_id
),

best as (
    select * from located
    where capacity_mw > 0
    qualify row_number() over (
        partition by workload, region_kind, region_id, substation_id
        order by gate_status = 'unknown', score desc, parcel_id
    ) = 1
),

-- A region with a parcel that passes is filled from such parcels only.
sure as (
    select *, bool_or(gate_status = 'pass') over (partition by workload, region_kind, region_id) as has_pass
    from best
),

filled as (
    select
        *,
        row_number() over region_order as fill_no,
        sum(capacity_mw::decimal(18, 3)) over (
            region_order rows between unbounded preceding and current row
        ) as running_mw
    from sure
    where gate_status = 'pass' or not has_pass
    window region_order as (
        partition by workload, region_kind, region_id
        order by score desc, parcel_id
    )
)

select
    * exclude (target_mw, has_pass, running_mw),
    least(
        capacity_mw::decimal(18, 3),
        target_mw::decimal(18, 3) - (running_mw - capacity_mw::decimal(18, 3))
    )::double as used_mw
from filled
where running_mw - capacity_mw::decimal(18, 3) < target_mw::decimal(18, 3)
order by workload, region_kind, region_id, fill_no;
