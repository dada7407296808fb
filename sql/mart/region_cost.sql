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
        -- Whole kW times whole millionths: sums that no order of the rows changes.
        sum(round(fill.used_mw * 1000)::hugeint) as kw,
        sum(round(fill.used_mw * 1000)::hugeint * round(cost.low * 1e6)::hugeint) as low_units,
        sum(round(fill.used_mw * 1000)::hugeint * round(cost.mid * 1e6)::hugeint) as mid_units,
        sum(round(fill.used_mw * 1000)::hugeint * round(cost.high * 1e6)::hugeint) as high_units,
        sum(round(cost.capital_musd_mid * 1e6)::hugeint) as capital_usd,
        sum(
            round(fill.used_mw * 1000)::hugeint * round(cost.time_to_power_years_mid * 1e6)::hugeint
        ) as year_units,
        coalesce(
            sum(round(fill.used_mw * 1000)::hugeint) filter (where cost.mid is null), 0
        ) as unknown_kw
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
        case when unknown_kw = 0 then low_units::double / kw::double / 1e6 end as low,
        case when unknown_kw = 0 then mid_units::double / kw::double / 1e6 end as mid,
        case when unknown_kw = 0 then high_units::double / kw::double / 1e6 end as high,
        case when unknown_kw = 0 then capital_usd::double / 1e6 end as capital_musd_mid,
        case when unknown_kw = 0 then year_units::double / kw::double / 1e6 end as time_to_power_years_mid,
        unknown_kw::double / 1000 as unknown_mw
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
