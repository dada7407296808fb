create table core.lake (
    lake_id varchar primary key,
    lake_name varchar,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.lake is 'Lakes';
comment on column core.lake.lake_id is 'Id';
comment on column core.lake.lake_name is 'Name; NULL when unnamed';
comment on column core.lake.source_id is 'Catalogue id of the source the row comes from';
comment on column core.lake.geometry is 'Polygon';

insert into core.lake by name
select
    lake_id,
    lake_name,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null
order by lake_id;
