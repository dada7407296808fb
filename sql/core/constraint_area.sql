create table core.constraint_area (
    constraint_id varchar primary key,
    constraint_kind varchar,
    constraint_name varchar,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.constraint_area is 'Ground on which little or nothing can be built: floodplains, wetlands, water';
comment on column core.constraint_area.constraint_id is 'Id';
comment on column core.constraint_area.constraint_kind is 'floodplain, wetland or water';
comment on column core.constraint_area.constraint_name is 'Name or zone; NULL where the source has none';
comment on column core.constraint_area.source_id is 'Catalogue id of the source the row comes from';
comment on column core.constraint_area.geometry is 'Polygon';

insert into meta.refused_row
select
    'constraint_area' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when constraint_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats constraint_id ' || constraint_id, 'has no constraint_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify
    constraint_id is null
    or row_number() over (partition by constraint_id order by raw_table, raw_member, raw_row) > 1;

insert into core.constraint_area by name
select
    constraint_id,
    constraint_kind,
    constraint_name,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and constraint_id is not null
qualify row_number() over (partition by constraint_id order by raw_table, raw_member, raw_row) = 1
order by constraint_id;
