create table core.people (
    people_id varchar primary key,
    people double,
    scale_factor double,
    method varchar,
    state_id varchar,
    county_id varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.people is 'People at points: census tracts, or census totals spread by electric load or over places';
comment on column core.people.people_id is 'Id of the tract, bus or place';
comment on column core.people.people is 'People here; sums to the census totals';
comment on column core.people.scale_factor is 'What the source''s own count or load was multiplied by';
comment on column core.people.method is 'tract_scaled_to_county, tract_scaled_to_state (no county total), state_total_by_load or place_scaled_to_state';
comment on column core.people.state_id is 'USPS code';
comment on column core.people.county_id is 'FIPS code; NULL when the method does not need it';
comment on column core.people.lon is 'Longitude, degrees';
comment on column core.people.lat is 'Latitude, degrees';
comment on column core.people.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'people' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when people_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats people_id ' || people_id, 'has no people_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify people_id is null or row_number() over (partition by people_id order by raw_table, raw_member, raw_row) > 1;

insert into core.people by name
select
    people_id,
    people,
    scale_factor,
    method,
    state_id,
    county_id,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and people_id is not null
qualify row_number() over (partition by people_id order by raw_table, raw_member, raw_row) = 1
order by people_id;
