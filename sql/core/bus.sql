create table core.bus (
    bus_id varchar primary key,
    substation_id varchar,
    zone_id varchar,
    kv double,
    load_mw double,
    state_id varchar,
    interconnect varchar,
    source_id varchar
);
comment on table core.bus is 'Buses of a network case';
comment on column core.bus.bus_id is 'Id of the bus';
comment on column core.bus.substation_id is 'Substation that holds the bus';
comment on column core.bus.zone_id is 'Grid zone';
comment on column core.bus.kv is 'Base voltage, kV';
comment on column core.bus.load_mw is 'Active load (Pd), MW';
comment on column core.bus.state_id is 'State of the bus''s zone, USPS code';
comment on column core.bus.interconnect is 'Interconnection';
comment on column core.bus.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'bus' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when bus_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats bus_id ' || bus_id, 'has no bus_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify bus_id is null or row_number() over (partition by bus_id order by raw_table, raw_member, raw_row) > 1;

insert into core.bus by name
select
    bus_id,
    substation_id,
    zone_id,
    kv,
    load_mw,
    state_id,
    interconnect,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and bus_id is not null
qualify row_number() over (partition by bus_id order by raw_table, raw_member, raw_row) = 1
order by bus_id;
