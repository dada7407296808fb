create table core.state (
    state_id varchar primary key,
    state_name varchar,
    state_fips varchar,
    population_people bigint,
    industrial_usd_per_mwh double,
    heating_degree_days_65f double,
    cooling_degree_days_65f double,
    generation_queue_mw double,
    source_id varchar
);
comment on table core.state is 'States with the public figures known of them';
comment on column core.state.state_id is 'USPS code';
comment on column core.state.state_name is 'Name';
comment on column core.state.state_fips is 'FIPS code, 2 digits';
comment on column core.state.population_people is 'People (census)';
comment on column core.state.industrial_usd_per_mwh is 'Average industrial power price, $/MWh';
comment on column core.state.heating_degree_days_65f is 'Heating degree days a year';
comment on column core.state.cooling_degree_days_65f is 'Cooling degree days a year';
comment on column core.state.generation_queue_mw is 'Generation in the interconnection queue, MW';
comment on column core.state.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'state' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when state_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats state_id ' || state_id, 'has no state_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify state_id is null or row_number() over (partition by state_id order by raw_table, raw_member, raw_row) > 1;

insert into core.state by name
select
    state_id,
    state_name,
    state_fips,
    population_people,
    industrial_usd_per_mwh,
    heating_degree_days_65f,
    cooling_degree_days_65f,
    generation_queue_mw,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and state_id is not null
qualify row_number() over (partition by state_id order by raw_table, raw_member, raw_row) = 1
order by state_id;
