create table core.metro_county (
    metro_id varchar,
    county_id varchar,
    source_id varchar
);
comment on table core.metro_county is 'Which county belongs to which metro';
comment on column core.metro_county.metro_id is 'CBSA code';
comment on column core.metro_county.county_id is 'FIPS code, 5 digits';
comment on column core.metro_county.source_id is 'Catalogue id of the source the row comes from';

insert into core.metro_county by name
select
    metro_id,
    county_id,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by metro_id, county_id;
