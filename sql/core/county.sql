create table core.county (
    county_id varchar primary key,
    county_name varchar,
    state_id varchar,
    land_sqmi double,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.county is 'Counties and equivalents, clipped to land';
comment on column core.county.county_id is 'FIPS code, 5 digits';
comment on column core.county.county_name is 'Name with its kind, as in Loudoun County';
comment on column core.county.state_id is 'USPS code';
comment on column core.county.land_sqmi is 'Land area, square miles; NULL when the source does not say';
comment on column core.county.source_id is 'Catalogue id of the source the row comes from';
comment on column core.county.geometry is 'Polygon';

insert into core.county by name
select
    county_id,
    county_name,
    state_id,
    land_sqmi,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null
order by county_id;
