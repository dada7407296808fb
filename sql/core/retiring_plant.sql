create table core.retiring_plant (
    plant_id varchar primary key,
    plant_name varchar,
    retirement_year integer,
    retirement_status varchar,
    capacity_mw double,
    kv double,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.retiring_plant is 'Steam plants that close, or closed since 2018: their connection to the grid may come free';
comment on column core.retiring_plant.plant_id is 'Id of the plant, as in core.plant';
comment on column core.retiring_plant.plant_name is 'Name';
comment on column core.retiring_plant.retirement_year is 'Year in which its last boiler retires, or retired';
comment on column core.retiring_plant.retirement_status is 'retiring (every boiler in use has a planned year) or retired (all boilers are, the last in 2018 or later)';
comment on column core.retiring_plant.capacity_mw is 'Nameplate capacity of the whole plant, MW; NULL when unknown';
comment on column core.retiring_plant.kv is 'Voltage at which it connects, kV; NULL when unknown';
comment on column core.retiring_plant.lon is 'Longitude, degrees';
comment on column core.retiring_plant.lat is 'Latitude, degrees';
comment on column core.retiring_plant.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'retiring_plant' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when plant_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats plant_id ' || plant_id, 'has no plant_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify plant_id is null or row_number() over (partition by plant_id order by raw_table, raw_member, raw_row) > 1;

insert into core.retiring_plant by name
select
    plant_id,
    plant_name,
    retirement_year,
    retirement_status,
    capacity_mw,
    kv,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and plant_id is not null
qualify row_number() over (partition by plant_id order by raw_table, raw_member, raw_row) = 1
order by plant_id;
