create table core.pop (
    pop_id varchar primary key,
    pop_name varchar,
    carrier_id varchar,
    carrier_name varchar,
    carrier_kind varchar,
    as_of varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.pop is 'Points of presence of carriers';
comment on column core.pop.pop_id is 'Id';
comment on column core.pop.pop_name is 'Name or city';
comment on column core.pop.carrier_id is 'Carrier';
comment on column core.pop.carrier_name is 'Carrier''s name';
comment on column core.pop.carrier_kind is 'carrier, research (sells to nobody), host (hosting, content or one city) or historical (gone); only carriers are counted';
comment on column core.pop.as_of is 'Vintage of the map it stands in';
comment on column core.pop.lon is 'Longitude, degrees';
comment on column core.pop.lat is 'Latitude, degrees';
comment on column core.pop.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'pop' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when pop_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats pop_id ' || pop_id, 'has no pop_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify pop_id is null or row_number() over (partition by pop_id order by raw_table, raw_member, raw_row) > 1;

insert into core.pop by name
select
    pop_id,
    pop_name,
    carrier_id,
    carrier_name,
    carrier_kind,
    as_of,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and pop_id is not null
qualify row_number() over (partition by pop_id order by raw_table, raw_member, raw_row) = 1
order by pop_id;
