create table meta.latency_rule (
    name varchar primary key,
    low double,
    mid double,
    high double,
    unit varchar,
    kind varchar,
    source varchar
);
comment on table meta.latency_rule is 'Parameters that round trips were computed with';
comment on column meta.latency_rule.name is 'Parameter';
comment on column meta.latency_rule.low is 'Value in the low case';
comment on column meta.latency_rule.mid is 'Value in the middle case';
comment on column meta.latency_rule.high is 'Value in the high case';
comment on column meta.latency_rule.unit is 'Unit';
comment on column meta.latency_rule.kind is 'physics, measured, survey or convention';
comment on column meta.latency_rule.source is 'Where it comes from';

insert into meta.latency_rule by name
select
    name,
    low,
    mid,
    high,
    unit,
    kind,
    source
from read_parquet($fiber_rule_path)
order by name;
