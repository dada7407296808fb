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

insert into core.park by name
select
    park_id,
    park_name,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null
order by park_id;
