create table core.zone (
    zone_id varchar primary key,
    zone_name varchar,
    interconnect varchar,
    source_id varchar
);
comment on table core.zone is 'Grid zones';
comment on column core.zone.zone_id is 'Id of the zone';
comment on column core.zone.zone_name is 'Name';
comment on column core.zone.interconnect is 'Interconnection; NULL when unknown';
comment on column core.zone.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'zone' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when zone_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats zone_id ' || zone_id, 'has no zone_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify zone_id is null or row_number() over (partition by zone_id order by raw_table, raw_member, raw_row) > 1;

insert into core.zone by name
select
    zone_id,
    zone_name,
    interconnect,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and zone_id is not null
qualify row_number() over (partition by zone_id order by raw_table, raw_member, raw_row) = 1
order by zone_id;
