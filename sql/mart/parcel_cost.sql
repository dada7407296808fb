create table mart.parcel_cost (
    workload varchar,
    parcel_no bigint,
    parcel_id varchar,
    cost_rank bigint,
    objective varchar,
    low real,
    mid real,
    high real,
    cost_mw real,
    capital_musd_low real,
    capital_musd_mid real,
    capital_musd_high real,
    time_to_power_years_mid real,
    missing varchar[]
);
comment on table mart.parcel_cost is
'What a parcel costs for a workload, in the dollars of meta.cost_rule, at the megawatts of the profile or what the feeding substation delivers if that is less; whether the megawatts are there is told by headroom and gates. mart.delivered_cost gives its terms';
comment on column mart.parcel_cost.workload is 'Workload';
comment on column mart.parcel_cost.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_cost.parcel_id is 'Parcel';
comment on column mart.parcel_cost.cost_rank is
'Rank from 1 by mid, then parcel_id, among parcels that fail no gate and whose cost is known; NULL for others';
comment on column mart.parcel_cost.objective is 'What low, mid and high are: delivered_usd_per_mwh of IT load, or usd_per_million_queries';
comment on column mart.parcel_cost.low is 'Cost, low end; NULL where the price of energy or the tie line is unknown';
comment on column mart.parcel_cost.mid is 'Cost';
comment on column mart.parcel_cost.high is 'Cost, high end';
comment on column mart.parcel_cost.cost_mw is 'Megawatts at the grid connection that the cost is stated at';
comment on column mart.parcel_cost.capital_musd_low is 'Low end of capital_musd_mid';
comment on column mart.parcel_cost.capital_musd_mid is
'Tie line, substation, fiber, land and site works, millions of dollars; neither shell nor servers';
comment on column mart.parcel_cost.capital_musd_high is 'High end of capital_musd_mid';
comment on column mart.parcel_cost.time_to_power_years_mid is 'Years from the application to the first megawatt: mostly convention, see meta.cost_rule; its interval is that of mart.delivered_cost';
comment on column mart.parcel_cost.missing is
'Terms that are unknown and so not in the cost; deliverable_mw where there is no megawatt to state a cost at';

insert into mart.parcel_cost by name
with joined as (
    select
        score.workload,
        score.parcel_no,
        score.parcel_id,
        cost.objective,
        cost.low::real as low,
        cost.mid::real as mid,
        cost.high::real as high,
        cost.cost_mw::real as cost_mw,
        cost.capital_musd_low::real as capital_musd_low,
        cost.capital_musd_mid::real as capital_musd_mid,
        cost.capital_musd_high::real as capital_musd_high,
        cost.time_to_power_years_mid::real as time_to_power_years_mid,
        cost.missing,
        score.gate_status <> 'fail' and cost.mid is not null as is_ranked
    from mart.parcel_score as score
    inner join read_parquet($cost_path) as cost using (workload, parcel_id)
)

select
    * exclude (is_ranked),
    case when is_ranked then
        row_number() over (partition by workload, is_ranked order by mid, parcel_id)
    end as cost_rank
from joined
order by workload, parcel_no;
