create table core.park (
    park_id varchar primary key,
    park_name varchar,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.park is 'National parks';
comment on column core.park.park_id is 'Id';
comment on column core.park.park_name is 'Name';
comment on column core.park.source_id is 'Catalogue id of the source the row comes from';
comment on column core.park.geometry is 'Polygon';

insert into meta.refused_row
select
    'park' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when park_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats park_id ' || park_id, 'has no park_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify park_id is null or row_number() over (partition by park_id order by raw_table, raw_member, raw_row) > 1;

insert into core.park by name
select
    park_id,
    park_name,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and park_id is not null
qualify row_number() over (partition by park_id order by raw_table, raw_member, raw_row) = 1
order by park_id;
