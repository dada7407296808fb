create table meta.workload (
    workload varchar primary key,
    title varchar,
    summary varchar,
    objective varchar,
    target_mw double,
    max_site_mw double,
    capacity_metric varchar,
    latency_budget_ms double,
    major_metro_people bigint,
    design_mw double,
    load_factor double,
    usd_per_mwh double,
    watt_hours_per_query double,
    premium_usd_per_million_queries double
);
comment on table meta.workload is 'Workload profiles of this study';
comment on column meta.workload.workload is 'Id of the profile';
comment on column meta.workload.title is 'Title';
comment on column meta.workload.summary is 'What it wants, in one sentence';
comment on column meta.workload.objective is
'What is priced: training (delivered dollars a megawatt-hour) or inference (dollars per million queries)';
comment on column meta.workload.target_mw is 'Megawatts a region must hold before its score counts in full';
comment on column meta.workload.max_site_mw is
'Most that one site takes of the target, so that a region is filled by many; NULL where it takes all that there is';
comment on column meta.workload.capacity_metric is 'Metric that fills the target';
comment on column meta.workload.latency_budget_ms is
'Round trip in milliseconds that people are counted within; NULL for training, which has none';
comment on column meta.workload.major_metro_people is 'People from which on a metro counts as a major one';
comment on column meta.workload.design_mw is 'Megawatts that a site is priced at';
comment on column meta.workload.load_factor is 'Mean over peak draw of the year; NULL where the cost rules say it';
comment on column meta.workload.usd_per_mwh is
'Energy price everywhere, dollars a megawatt-hour; NULL where each parcel has its own';
comment on column meta.workload.watt_hours_per_query is
'Energy of one query at the server; NULL where the cost rules say it';
comment on column meta.workload.premium_usd_per_million_queries is
'What users pay more for a million answers within the budget, dollars; NULL where nobody says';

create table meta.gate (
    workload varchar,
    metric varchar,
    at_least double,
    at_most double,
    is_removed boolean,
    removed_why varchar,
    why varchar,
    source varchar
);
comment on table meta.gate is 'Hard requirements of each profile';
comment on column meta.gate.workload is 'Id of the profile';
comment on column meta.gate.metric is 'Metric';
comment on column meta.gate.at_least is 'Lowest value that passes; NULL when the gate is at_most';
comment on column meta.gate.at_most is 'Highest value that passes; NULL when the gate is at_least';
comment on column meta.gate.is_removed is 'Whether this study took it out because it never has the metric';
comment on column meta.gate.removed_why is 'Why it was taken out';
comment on column meta.gate.why is 'Why it is required';
comment on column meta.gate.source is 'Where the number comes from';

create table meta.factor (
    workload varchar,
    metric varchar,
    label varchar,
    weight double,
    profile_weight double,
    is_removed boolean,
    removed_why varchar,
    why varchar,
    source varchar
);
comment on table meta.factor is 'Weighted factors of each profile';
comment on column meta.factor.workload is 'Id of the profile';
comment on column meta.factor.metric is 'Metric';
comment on column meta.factor.label is 'Name of the factor in words';
comment on column meta.factor.weight is
'Weight used in this study; the profile''s weights of the factors that remain, scaled to sum to 1';
comment on column meta.factor.profile_weight is 'Weight that the profile states';
comment on column meta.factor.is_removed is 'Whether this study took it out because it never has the metric';
comment on column meta.factor.removed_why is 'Why it was taken out';
comment on column meta.factor.why is 'Why it matters';
comment on column meta.factor.source is 'Where the breakpoints come from';

create table meta.value_segment (
    workload varchar,
    metric varchar,
    from_x double,
    to_x double,
    from_value double,
    slope double
);
comment on table meta.value_segment is
'Value functions as straight pieces: value = from_value + slope * (x - from_x) for from_x <= x < to_x';
comment on column meta.value_segment.workload is 'Id of the profile';
comment on column meta.value_segment.metric is 'Metric';
comment on column meta.value_segment.from_x is 'Where the piece starts';
comment on column meta.value_segment.to_x is 'Where it ends';
comment on column meta.value_segment.from_value is 'Value at its start, 0 to 1';
comment on column meta.value_segment.slope is 'Change of value per unit of the metric';

create table meta.metric (
    metric varchar primary key,
    unit varchar,
    label varchar,
    layer varchar,
    direction varchar,
    description varchar
);
comment on table meta.metric is 'Metrics that a profile may gate on or weigh';
comment on column meta.metric.metric is 'Name, also of the column';
comment on column meta.metric.unit is 'Unit';
comment on column meta.metric.label is 'Name in words';
comment on column meta.metric.layer is 'Layers it is measured from, separated by spaces';
comment on column meta.metric.direction is 'Whether more or less of it is better';
comment on column meta.metric.description is 'What it is';
