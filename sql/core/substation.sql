create table core.substation (
    substation_id varchar primary key,
    substation_name varchar,
    lon double,
    lat double,
    kv_max double,
    kv_min double,
    interconnect varchar,
    zone_id varchar,
    load_mw double,
    source_id varchar
);
comment on table core.substation is 'Substations: where a load can be connected';
comment on column core.substation.substation_id is 'Id of the substation, unique in the study';
comment on column core.substation.substation_name is 'Name given by the source';
comment on column core.substation.lon is 'Longitude, degrees';
comment on column core.substation.lat is 'Latitude, degrees';
comment on column core.substation.kv_max is 'Highest voltage, kV; NULL when the source does not say';
comment on column core.substation.kv_min is 'Lowest voltage of 69 kV or more, kV; NULL when the source does not say';
comment on column core.substation.interconnect is 'Interconnection: Eastern, Western or Texas; NULL when unknown';
comment on column core.substation.zone_id is 'Grid zone of the source''s network; NULL when unknown';
comment on column core.substation.load_mw is 'Peak load connected here in MW; NULL when unknown';
comment on column core.substation.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'substation' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when substation_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats substation_id ' || substation_id, 'has no substation_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify substation_id is null or row_number() over (partition by substation_id order by raw_table, raw_member, raw_row) > 1;

insert into core.substation by name
select
    substation_id,
    substation_name,
    lon,
    lat,
    kv_max,
    kv_min,
    interconnect,
    zone_id,
    load_mw,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and substation_id is not null
qualify row_number() over (partition by substation_id order by raw_table, raw_member, raw_row) = 1
order by substation_id;
