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

insert into meta.refused_row
select
    'lake' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when lake_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats lake_id ' || lake_id, 'has no lake_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify lake_id is null or row_number() over (partition by lake_id order by raw_table, raw_member, raw_row) > 1;

insert into core.lake by name
select
    lake_id,
    lake_name,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and lake_id is not null
qualify row_number() over (partition by lake_id order by raw_table, raw_member, raw_row) = 1
order by lake_id;
