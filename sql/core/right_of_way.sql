create table core.right_of_way (
    right_of_way_id varchar primary key,
    right_of_way_name varchar,
    right_of_way_kind varchar,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.right_of_way is 'Highways and railroads that long-haul fiber follows';
comment on column core.right_of_way.right_of_way_id is 'Id';
comment on column core.right_of_way.right_of_way_name is 'Name; NULL when the source gives none';
comment on column core.right_of_way.right_of_way_kind is 'interstate or railroad';
comment on column core.right_of_way.source_id is 'Catalogue id of the source the row comes from';
comment on column core.right_of_way.geometry is 'Course; interstates have a line for each carriageway';

insert into meta.refused_row
select
    'right_of_way' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when right_of_way_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats right_of_way_id ' || right_of_way_id, 'has no right_of_way_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify
    right_of_way_id is null
    or row_number() over (partition by right_of_way_id order by raw_table, raw_member, raw_row) > 1;

insert into core.right_of_way by name
select
    right_of_way_id,
    right_of_way_name,
    right_of_way_kind,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and right_of_way_id is not null
qualify row_number() over (partition by right_of_way_id order by raw_table, raw_member, raw_row) = 1
order by right_of_way_id;
