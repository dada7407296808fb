create table core.facility (
    facility_id varchar primary key,
    facility_name varchar,
    facility_kind varchar,
    operator_name varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.facility is 'Interconnection facilities and cable landings';
comment on column core.facility.facility_id is 'Id';
comment on column core.facility.facility_name is 'Name';
comment on column core.facility.facility_kind is 'colocation, cable_landing or exchange (of telephone or broadband lines)';
comment on column core.facility.operator_name is 'Operator';
comment on column core.facility.lon is 'Longitude, degrees';
comment on column core.facility.lat is 'Latitude, degrees';
comment on column core.facility.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'facility' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when facility_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats facility_id ' || facility_id, 'has no facility_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify facility_id is null or row_number() over (partition by facility_id order by raw_table, raw_member, raw_row) > 1;

insert into core.facility by name
select
    facility_id,
    facility_name,
    facility_kind,
    operator_name,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and facility_id is not null
qualify row_number() over (partition by facility_id order by raw_table, raw_member, raw_row) = 1
order by facility_id;
