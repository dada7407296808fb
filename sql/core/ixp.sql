create table core.ixp (
    ixp_id varchar primary key,
    ixp_name varchar,
    carrier_count bigint,
    is_inferred boolean,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.ixp is 'Internet exchanges, or cities that a study takes for one';
comment on column core.ixp.ixp_id is 'Id';
comment on column core.ixp.ixp_name is 'Name';
comment on column core.ixp.carrier_count is 'Carriers or exchanges present; NULL when unknown';
comment on column core.ixp.is_inferred is 'True when it is a PoP city of three carriers or more, not a listed exchange';
comment on column core.ixp.lon is 'Longitude, degrees';
comment on column core.ixp.lat is 'Latitude, degrees';
comment on column core.ixp.source_id is 'Catalogue id of the source the row comes from';

insert into core.ixp by name
select
    ixp_id,
    ixp_name,
    carrier_count,
    is_inferred,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by ixp_id;
