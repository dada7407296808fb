create table mart.substation (
    substation_id varchar primary key,
    substation_name varchar,
    kv_max double,
    kv_min double,
    interconnect varchar,
    zone_id varchar,
    load_mw double,
    method varchar,
    headroom_mw_low double,
    headroom_mw_mid double,
    headroom_mw_high double,
    headroom_n0_mw double,
    limit_kind varchar,
    limit_text varchar,
    limit_branch_id varchar,
    limit_outage_id varchar,
    connect_bus_id varchar,
    connect_kv double,
    is_single_fed boolean,
    flexible_025_mw_low double,
    flexible_025_mw_mid double,
    flexible_025_mw_high double,
    flexible_050_mw_low double,
    flexible_050_mw_mid double,
    flexible_050_mw_high double,
    flexible_100_mw_low double,
    flexible_100_mw_mid double,
    flexible_100_mw_high double,
    reserve_zone_mw double,
    reserve_interconnection_mw double,
    circuit_count bigint,
    largest_circuit_mw double,
    import_n1_mw double,
    capacity_as_of varchar,
    capacity_source varchar,
    is_inferred boolean,
    confidence double,
    is_synthetic boolean,
    source_id varchar,
    lon double,
    lat double,
    geometry geometry('OGC:CRS84')
);
comment on table mart.substation is 'Substations with the largest extra load that each can serve, as an interval, and what limits it';
comment on column mart.substation.substation_id is 'Id of the substation';
comment on column mart.substation.substation_name is 'Name given by the source';
comment on column mart.substation.kv_max is 'Highest voltage, kV';
comment on column mart.substation.kv_min is 'Lowest voltage of 69 kV or more, kV';
comment on column mart.substation.interconnect is 'Interconnection; NULL when unknown';
comment on column mart.substation.zone_id is 'Grid zone';
comment on column mart.substation.load_mw is 'Peak load connected here, or estimated from the people around it, MW';
comment on column mart.substation.method is
'How the headroom was found: load_flow, import_estimate, or user (stated in a capacity file)';
comment on column mart.substation.headroom_mw_low is
'Largest extra load after any single outage, low end, MW; NULL when it is unknown';
comment on column mart.substation.headroom_mw_mid is 'Largest extra load after any single outage, middle, MW';
comment on column mart.substation.headroom_mw_high is 'Largest extra load after any single outage, high end, MW';
comment on column mart.substation.headroom_n0_mw is
'Largest extra load with all in service, middle, MW; NULL without a load flow';
comment on column mart.substation.limit_kind is
'What limits the middle: branch, supply (generation), no_supply (nothing serves it), circuits (import estimate) or user';
comment on column mart.substation.limit_text is 'The limit in words: element, and the outage after which it is full';
comment on column mart.substation.limit_branch_id is 'Branch that limits; NULL when none does';
comment on column mart.substation.limit_outage_id is 'Branch whose outage makes it limit; NULL when all is in service';
comment on column mart.substation.connect_bus_id is
'Bus of 60 kV or more that serves most; NULL without a network case';
comment on column mart.substation.connect_kv is 'Voltage at which a load would connect, kV';
comment on column mart.substation.is_single_fed is 'Whether the outage of one branch cuts it off; NULL when unknown';
comment on column mart.substation.flexible_025_mw_low is
'Load that would do with 0.25 % of its yearly energy curtailed, low end, MW; NULL without a load flow';
comment on column mart.substation.flexible_025_mw_mid is
'Load that would do with 0.25 % of its yearly energy curtailed, middle, MW; NULL without a load flow';
comment on column mart.substation.flexible_025_mw_high is
'Load that would do with 0.25 % of its yearly energy curtailed, high end, MW; NULL without a load flow';
comment on column mart.substation.flexible_050_mw_low is
'Load that would do with 0.5 % of its yearly energy curtailed, low end, MW; NULL without a load flow';
comment on column mart.substation.flexible_050_mw_mid is
'Load that would do with 0.5 % of its yearly energy curtailed, middle, MW; NULL without a load flow';
comment on column mart.substation.flexible_050_mw_high is
'Load that would do with 0.5 % of its yearly energy curtailed, high end, MW; NULL without a load flow';
comment on column mart.substation.flexible_100_mw_low is
'Load that would do with 1 % of its yearly energy curtailed, low end, MW; NULL without a load flow';
comment on column mart.substation.flexible_100_mw_mid is
'Load that would do with 1 % of its yearly energy curtailed, middle, MW; NULL without a load flow';
comment on column mart.substation.flexible_100_mw_high is
'Load that would do with 1 % of its yearly energy curtailed, high end, MW; NULL without a load flow';
comment on column mart.substation.reserve_zone_mw is
'What running firm units of its zone could still give, MW; NULL without a network case';
comment on column mart.substation.reserve_interconnection_mw is
'What running firm units of its interconnection could still give, MW; NULL without a network case';
comment on column mart.substation.circuit_count is 'Circuits to other substations that are known';
comment on column mart.substation.largest_circuit_mw is 'Mid capability of the largest of them, MW';
comment on column mart.substation.import_n1_mw is 'Mid capability of all but the largest, MW';
comment on column mart.substation.capacity_as_of is 'Date or year of a stated capacity; NULL when it is computed';
comment on column mart.substation.capacity_source is 'Source of a stated capacity; NULL when it is computed';
comment on column mart.substation.is_inferred is 'Whether no source lists it: it was inferred where lines meet';
comment on column mart.substation.confidence is 'How sure it is that it stands there, 0 to 1; 1 when a source lists it';
comment on column mart.substation.is_synthetic is 'True when the substation stands in a synthetic network';
comment on column mart.substation.source_id is 'Catalogue id of the source; NULL when it is inferred or stated';
comment on column mart.substation.lon is 'Longitude';
comment on column mart.substation.lat is 'Latitude';
comment on column mart.substation.geometry is 'Point';

insert into mart.substation by name
select
    power.substation_id,
    power.substation_name,
    power.kv_max,
    power.kv_min,
    power.interconnect,
    power.zone_id,
    power.load_mw,
    power.method,
    power.headroom_mw_low,
    power.headroom_mw_mid,
    power.headroom_mw_high,
    power.headroom_n0_mw,
    power.limit_kind,
    power.limit_text,
    power.limit_branch_id,
    power.limit_outage_id,
    power.connect_bus_id,
    power.connect_kv,
    power.is_single_fed,
    power.flexible_025_mw_low,
    power.flexible_025_mw_mid,
    power.flexible_025_mw_high,
    power.flexible_050_mw_low,
    power.flexible_050_mw_mid,
    power.flexible_050_mw_high,
    power.flexible_100_mw_low,
    power.flexible_100_mw_mid,
    power.flexible_100_mw_high,
    power.reserve_zone_mw,
    power.reserve_interconnection_mw,
    power.circuit_count,
    power.largest_circuit_mw,
    power.import_n1_mw,
    power.capacity_as_of,
    power.capacity_source,
    power.is_inferred,
    power.confidence,
    source.is_synthetic,
    power.source_id,
    power.lon,
    power.lat,
    format('POINT ({} {})', power.lon, power.lat)::geometry('OGC:CRS84') as geometry
from read_parquet($power_path) as power
left join meta.source using (source_id)
order by power.substation_id;
