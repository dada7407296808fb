create table mart.substation (
    substation_id varchar primary key,
    substation_name varchar,
    kv_max double,
    zone_id varchar,
    load_mw double,
    circuit_count bigint,
    largest_circuit_mw double,
    import_n1_mw double,
    headroom_mw_low double,
    headroom_mw_mid double,
    headroom_mw_high double,
    headroom_method varchar,
    is_synthetic boolean,
    source_id varchar,
    lon double,
    lat double,
    geometry geometry('OGC:CRS84')
);
comment on table mart.substation is 'Substations with their headroom as an interval';
comment on column mart.substation.substation_id is 'Id of the substation';
comment on column mart.substation.substation_name is 'Name given by the source';
comment on column mart.substation.kv_max is 'Highest voltage, kV';
comment on column mart.substation.zone_id is 'Grid zone';
comment on column mart.substation.load_mw is 'Peak load connected here, or estimated from the people around it, MW';
comment on column mart.substation.circuit_count is 'Circuits to other substations that are known';
comment on column mart.substation.largest_circuit_mw is 'Mid capability of the largest of them, MW';
comment on column mart.substation.import_n1_mw is 'Mid capability of all but the largest, MW';
comment on column mart.substation.headroom_mw_low is 'Headroom, low end, MW; NULL when no circuit or no load is known';
comment on column mart.substation.headroom_mw_mid is 'Headroom, middle, MW';
comment on column mart.substation.headroom_mw_high is 'Headroom, high end, MW';
comment on column mart.substation.headroom_method is 'How the headroom was estimated';
comment on column mart.substation.is_synthetic is 'True when the substation stands in a synthetic network';
comment on column mart.substation.source_id is 'Catalogue id of the source';
comment on column mart.substation.lon is 'Longitude';
comment on column mart.substation.lat is 'Latitude';
comment on column mart.substation.geometry is 'Point';

insert into mart.substation by name
select
    substation.substation_id,
    substation.substation_name,
    substation.kv_max,
    substation.zone_id,
    headroom.load_mw,
    headroom.circuit_count,
    headroom.largest_circuit_mw,
    headroom.import_n1_mw,
    headroom.headroom_mw_low,
    headroom.headroom_mw_mid,
    headroom.headroom_mw_high,
    'line_class' as headroom_method,
    source.is_synthetic,
    substation.source_id,
    substation.lon,
    substation.lat,
    format('POINT ({} {})', substation.lon, substation.lat)::geometry('OGC:CRS84') as geometry
from core.substation
left join read_parquet($headroom_path) as headroom using (substation_id)
left join meta.source using (source_id)
order by substation.substation_id;
