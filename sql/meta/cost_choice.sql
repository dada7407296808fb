create view meta.cost_choice as
select
    workload,
    case objective when 'training' then 'delivered_usd_per_mwh' else 'usd_per_million_queries' end as objective,
    design_mw,
    load_factor,
    usd_per_mwh,
    watt_hours_per_query,
    premium_usd_per_million_queries,
    latency_budget_ms
from meta.workload;
comment on view meta.cost_choice is 'What each profile asks of the cost model';
comment on column meta.cost_choice.workload is 'Id of the profile';
comment on column meta.cost_choice.objective is 'delivered_usd_per_mwh (of IT load) or usd_per_million_queries';
comment on column meta.cost_choice.design_mw is 'Megawatts at the grid connection that a site is priced at';
comment on column meta.cost_choice.load_factor is 'Mean over peak draw of a year; NULL takes that of meta.cost_rule';
comment on column meta.cost_choice.usd_per_mwh is 'Price of energy everywhere; NULL takes that of each parcel';
comment on column meta.cost_choice.watt_hours_per_query is 'Energy of a query; NULL takes that of meta.cost_rule';
comment on column meta.cost_choice.premium_usd_per_million_queries is
'What users pay more for a million answers within the budget; NULL is unknown';
comment on column meta.cost_choice.latency_budget_ms is 'Round trip that people are counted within; NULL for training';
