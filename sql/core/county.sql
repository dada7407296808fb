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

insert into meta.refused_row
select
    'county' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when county_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats county_id ' || county_id, 'has no county_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify county_id is null or row_number() over (partition by county_id order by raw_table, raw_member, raw_row) > 1;

insert into core.county by name
select
    county_id,
    county_name,
    state_id,
    land_sqmi,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and county_id is not null
qualify row_number() over (partition by county_id order by raw_table, raw_member, raw_row) = 1
order by county_id;
