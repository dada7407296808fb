create table mart.region (
    region_kind varchar,
    region_id varchar,
    region_name varchar,
    state_id varchar,
    population_people bigint,
    parcel_count bigint,
    area_sqmi double,
    lon double,
    lat double,
    geometry geometry('OGC:CRS84')
);
comment on table mart.region is 'Regions that are ranked: counties, metros, states and grid zones';
comment on column mart.region.region_kind is 'county, metro, state or zone';
comment on column mart.region.region_id is 'FIPS code, CBSA code, USPS code or id of the grid zone';
comment on column mart.region.region_name is 'Name; counties with their state';
comment on column mart.region.state_id is 'State of a county; NULL for other kinds';
comment on column mart.region.population_people is 'People; NULL where the study does not know';
comment on column mart.region.parcel_count is 'Parcels in it; 0 when it is smaller than a parcel';
comment on column mart.region.area_sqmi is 'Area of its parcels, square miles';
comment on column mart.region.lon is 'Longitude of a point inside it';
comment on column mart.region.lat is 'Latitude of that point';
comment on column mart.region.geometry is 'County polygon, or the union of the counties or cells that belong to it; for assessors parcels the H3 cells of resolution 6 that hold their points';

insert into mart.region by name
with named as (
    select 'county' as region_kind, county_id as region_id, county_name || ', ' || state_id as region_name, state_id
    from core.county
    union all
    select 'metro', metro_id, metro_name, null from core.metro
    union all
    select 'state', state_id, state_name, state_id from core.state
    union all
    select 'zone', zone_id, zone_name, null from core.zone
),

people as (
    select 'metro' as region_kind, metro_id as region_id, metro_people as people from core.metro
    union all
    select 'state', state_id, population_people from core.state
    union all
    select 'county', county_id, population_people from core.county_fact
),

held as (
    select region_kind, region_id, parcel_count, area_acres::double / 640 as area_sqmi
    from staging.region_parcel
)

select
    named.*,
    people.people as population_people,
    coalesce(held.parcel_count, 0) as parcel_count,
    coalesce(round(held.area_sqmi, 3), 0) as area_sqmi,
    shape.lon,
    shape.lat,
    shape.geometry
from named
left join people using (region_kind, region_id)
left join held using (region_kind, region_id)
inner join read_parquet($region_path) as shape using (region_kind, region_id)
order by named.region_kind, named.region_id;
