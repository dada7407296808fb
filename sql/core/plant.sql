create table core.plant (
    plant_id varchar primary key,
    plant_name varchar,
    bus_id varchar,
    substation_id varchar,
    fuel varchar,
    fuel_kind varchar,
    capacity_mw double,
    dispatch_mw double,
    is_in_service boolean,
    grid_kv double,
    balancing_authority varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.plant is 'Power plants or generating units';
comment on column core.plant.plant_id is 'Id of the plant or unit';
comment on column core.plant.plant_name is 'Name';
comment on column core.plant.bus_id is 'Bus of the network case; NULL without one';
comment on column core.plant.substation_id is 'Substation that it feeds into; NULL when unknown';
comment on column core.plant.fuel is 'Fuel as the source names it; NULL when unknown';
comment on column core.plant.fuel_kind is 'firm, variable, storage or NULL when unknown';
comment on column core.plant.capacity_mw is 'Nameplate capacity, MW; NULL when unknown';
comment on column core.plant.dispatch_mw is 'Output in the network''s base case, MW; NULL without one';
comment on column core.plant.is_in_service is 'Whether it runs in the base case; NULL without one';
comment on column core.plant.grid_kv is 'Voltage at which it connects, kV; NULL when unknown';
comment on column core.plant.balancing_authority is 'Balancing authority code; NULL when unknown';
comment on column core.plant.lon is 'Longitude, degrees';
comment on column core.plant.lat is 'Latitude, degrees';
comment on column core.plant.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'plant' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when plant_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats plant_id ' || plant_id, 'has no plant_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify plant_id is null or row_number() over (partition by plant_id order by raw_table, raw_member, raw_row) > 1;

insert into core.plant by name
select
    plant_id,
    plant_name,
    bus_id,
    substation_id,
    fuel,
    fuel_kind,
    capacity_mw,
    dispatch_mw,
    is_in_service,
    grid_kv,
    balancing_authority,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and plant_id is not null
qualify row_number() over (partition by plant_id order by raw_table, raw_member, raw_row) = 1
order by plant_id;
