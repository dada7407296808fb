create table core.place (
    place_id varchar primary key,
    place_name varchar,
    state_id varchar,
    place_people bigint,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.place is 'Named places; for names, and for people only in a study that puts its people at places';
comment on column core.place.place_id is 'Id';
comment on column core.place.place_name is 'Name';
comment on column core.place.state_id is 'USPS code';
comment on column core.place.place_people is 'People as the source counts them (unreliable; a study that puts its people at places scales them to the census)';
comment on column core.place.lon is 'Longitude, degrees';
comment on column core.place.lat is 'Latitude, degrees';
comment on column core.place.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'place' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when place_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats place_id ' || place_id, 'has no place_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify place_id is null or row_number() over (partition by place_id order by raw_table, raw_member, raw_row) > 1;

insert into core.place by name
select
    place_id,
    place_name,
    state_id,
    place_people,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and place_id is not null
qualify row_number() over (partition by place_id order by raw_table, raw_member, raw_row) = 1
order by place_id;
