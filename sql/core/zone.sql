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

insert into core.zone by name
select
    zone_id,
    zone_name,
    interconnect,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by zone_id;
