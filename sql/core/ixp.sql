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

insert into meta.refused_row
select
    'ixp' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when ixp_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats ixp_id ' || ixp_id, 'has no ixp_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify ixp_id is null or row_number() over (partition by ixp_id order by raw_table, raw_member, raw_row) > 1;

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
where reject_code is null and ixp_id is not null
qualify row_number() over (partition by ixp_id order by raw_table, raw_member, raw_row) = 1
order by ixp_id;
