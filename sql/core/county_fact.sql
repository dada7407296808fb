create table core.county_fact (
    county_id varchar primary key,
    population_people bigint,
    median_household_usd double,
    industrial_usd_per_mwh double,
    fiber_coverage_share double,
    hazard_usd double,
    hazard_known_count bigint,
    generation_queue_mw double,
    source_id varchar
);
comment on table core.county_fact is 'Public figures by county; NULL is unknown';
comment on column core.county_fact.county_id is 'FIPS code, 5 digits';
comment on column core.county_fact.population_people is 'People';
comment on column core.county_fact.median_household_usd is 'Median household income, $';
comment on column core.county_fact.industrial_usd_per_mwh is 'Industrial power price, $/MWh; the state''s where the county''s is not known or not believed';
comment on column core.county_fact.fiber_coverage_share is 'Share of addresses that fiber passes';
comment on column core.county_fact.hazard_usd is 'Sum of FEMA risk values over the hazards known, $ a year';
comment on column core.county_fact.hazard_known_count is 'How many hazards are known';
comment on column core.county_fact.generation_queue_mw is 'Generation in the queue, MW';
comment on column core.county_fact.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'county_fact' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when county_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats county_id ' || county_id, 'has no county_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify county_id is null or row_number() over (partition by county_id order by raw_table, raw_member, raw_row) > 1;

insert into core.county_fact by name
select
    county_id,
    population_people,
    median_household_usd,
    industrial_usd_per_mwh,
    fiber_coverage_share,
    hazard_usd,
    hazard_known_count,
    generation_queue_mw,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and county_id is not null
qualify row_number() over (partition by county_id order by raw_table, raw_member, raw_row) = 1
order by county_id;
