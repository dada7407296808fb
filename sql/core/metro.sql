create table core.metro (
    metro_id varchar primary key,
    metro_name varchar,
    metro_people bigint,
    lon double,
    lat double,
    is_major boolean,
    source_id varchar
);
comment on table core.metro is 'Metropolitan areas of 250,000 people or more';
comment on column core.metro.metro_id is 'CBSA code';
comment on column core.metro.metro_name is 'Name';
comment on column core.metro.metro_people is 'People';
comment on column core.metro.lon is 'Longitude of the people-weighted centre';
comment on column core.metro.lat is 'Latitude of the people-weighted centre';
comment on column core.metro.is_major is 'Whether it is a major metro: a million people or more, where no profile asks for another number';
comment on column core.metro.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'metro' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when metro_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats metro_id ' || metro_id, 'has no metro_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify metro_id is null or row_number() over (partition by metro_id order by raw_table, raw_member, raw_row) > 1;

insert into core.metro by name
select
    metro_id,
    metro_name,
    metro_people,
    lon,
    lat,
    is_major,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and metro_id is not null
qualify row_number() over (partition by metro_id order by raw_table, raw_member, raw_row) = 1
order by metro_id;
