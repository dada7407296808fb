create table meta.power_sensitivity (
    interconnect varchar,
    kv_class double,
    case_name varchar,
    substation_count bigint,
    median_mw double,
    p10_mw double,
    p90_mw double,
    zero_share double,
    median_n0_mw double,
    rank_correlation double
);
comment on table meta.power_sensitivity is 'What each assumption of the load flow does to the headroom of substations';
comment on column meta.power_sensitivity.interconnect is 'Interconnection; NULL is all of them';
comment on column meta.power_sensitivity.kv_class is 'Voltage class of the connecting bus, kV; NULL is all of them';
comment on column meta.power_sensitivity.case_name is
'mid, low, high; a parameter alone with its value; or one of the three at a share of its base flows';
comment on column meta.power_sensitivity.substation_count is
'Substations; of a parameter alone, those of an even sample of at most 5,000 (rank correlation is within it)';
comment on column meta.power_sensitivity.median_mw is 'Median of the largest extra load after any single outage, MW';
comment on column meta.power_sensitivity.p10_mw is 'Tenth percentile of it, MW';
comment on column meta.power_sensitivity.p90_mw is 'Ninetieth percentile of it, MW';
comment on column meta.power_sensitivity.zero_share is 'Share of the substations with none';
comment on column meta.power_sensitivity.median_n0_mw is 'Median with all in service, MW';
comment on column meta.power_sensitivity.rank_correlation is
'Rank correlation with mid (Spearman); NULL where one of the two does not vary';

insert into meta.power_sensitivity by name
select
    interconnect,
    kv_class,
    case_name,
    substation_count,
    median_mw,
    p10_mw,
    p90_mw,
    zero_share,
    median_n0_mw,
    rank_correlation
from read_parquet($sensitivity_path)
order by interconnect nulls first, kv_class nulls first, case_name;
