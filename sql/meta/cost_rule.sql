create table meta.cost_rule (
    name varchar,
    at_x double,
    low double,
    mid double,
    high double,
    unit varchar,
    dollar_year bigint,
    source_dollar_year bigint,
    kind varchar,
    source varchar
);
comment on table meta.cost_rule is 'Parameters that costs were computed with, all dollars of one year';
comment on column meta.cost_rule.name is 'Parameter';
comment on column meta.cost_rule.at_x is
'What a row of a parameter that is a curve is for: kV of lines, substations and circuits, slope in percent, cooling degree days; NULL for a single one';
comment on column meta.cost_rule.low is 'Value in the low case';
comment on column meta.cost_rule.mid is 'Value in the middle case';
comment on column meta.cost_rule.high is 'Value in the high case';
comment on column meta.cost_rule.unit is 'Unit';
comment on column meta.cost_rule.dollar_year is 'Year of the dollars; NULL where there is no money';
comment on column meta.cost_rule.source_dollar_year is
'Year of the dollars of the source, or of the metric that a factor multiplies; the price index brings them to dollar_year';
comment on column meta.cost_rule.kind is 'physics, measured, survey, standard, rule or convention';
comment on column meta.cost_rule.source is 'Where it comes from';

insert into meta.cost_rule by name
select
    name,
    at_x,
    low,
    mid,
    high,
    unit,
    dollar_year,
    source_dollar_year,
    kind,
    source
from read_parquet($cost_rule_path)
order by name, at_x;
