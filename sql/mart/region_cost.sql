create table mart.region_cost (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    cost_rank bigint,
    objective varchar,
    low double,
    mid double,
    high double,
    capital_musd_mid double,
    time_to_power_years_mid double,
    unknown_mw double
);
comment on table mart.region_cost is
'What a region costs for a workload: the costs of the parcels of its plan (mart.region_fill), weighted by the megawatts that they bring';
comment on column mart.region_cost.workload is 'Workload';
comment on column mart.region_cost.region_kind is 'county, metro, state or zone';
comment on column mart.region_cost.region_id is 'Region';
comment on column mart.region_cost.cost_rank is
'Rank within its kind by mid, from 1, among regions whose plan has a cost in full; a plan that fills little of the target is ranked, too: see capacity_mw of mart.region_rank';
comment on column mart.region_cost.objective is 'What low, mid and high are: delivered_usd_per_mwh of IT load, or usd_per_million_queries';
comment on column mart.region_cost.low is 'Cost, low end; NULL where that of any parcel of the plan is unknown';
comment on column mart.region_cost.mid is 'Cost';
comment on column mart.region_cost.high is 'Cost, high end';
comment on column mart.region_cost.capital_musd_mid is
'Tie lines, substations, fiber, land and site works of the sites of the plan, millions of dollars, each at the size that it is priced at';
comment on column mart.region_cost.time_to_power_years_mid is 'Years to the first megawatt, mean by megawatts';
comment on column mart.region_cost.unknown_mw is 'Megawatts of the plan on parcels whose cost is unknown';

insert into mart.region_cost by name
with priced as (
    select
        fill.workload,
        fill.region_kind,
        fill.region_id,
        any_value(cost.objective) as objective,
        sum(fill.used_mw) as mw,
        -- fsum keeps the same bits whatever the order of the rows.
        fsum(fill.used_mw * cost.low) as low,
        fsum(fill.used_mw * cost.mid) as mid,
        fsum(fill.used_mw * cost.high) as high,
        fsum(cost.capital_musd_mid) as capital_musd_mid,
        fsum(fill.used_mw * cost.time_to_power_years_mid) as power_years,
        coalesce(sum(fill.used_mw) filter (where cost.mid is null), 0) as unknown_mw
    from mart.region_fill as fill
    inner join mart.parcel_cost as cost using (workload, parcel_no)
    group by fill.workload, fill.region_kind, fill.region_id
),

told as (
    select
        workload,
        region_kind,
        region_id,
        objective,
        case when unknown_mw = 0 then low / mw end as low,
        case when unknown_mw = 0 then mid / mw end as mid,
        case when unknown_mw = 0 then high / mw end as high,
        case when unknown_mw = 0 then capital_musd_mid end as capital_musd_mid,
        case when unknown_mw = 0 then power_years / mw end as time_to_power_years_mid,
        unknown_mw
    from priced
)

select
    *,
    case when mid is not null then
        row_number() over (
            partition by workload, region_kind, mid is null
            order by mid, region_id
        )
    end as cost_rank
from told
order by workload, region_kind, region_id;
