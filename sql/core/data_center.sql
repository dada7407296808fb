create table core.data_center (
    data_center_id varchar primary key,
    data_center_name varchar,
    operator_name varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.data_center is 'Data centers that stand already, as far as somebody has mapped them; informative, in no profile';
comment on column core.data_center.data_center_id is 'Id';
comment on column core.data_center.data_center_name is 'Name; NULL when the source gives none';
comment on column core.data_center.operator_name is 'Operator; NULL when the source gives none';
comment on column core.data_center.lon is 'Longitude, degrees; of a building, a point inside it';
comment on column core.data_center.lat is 'Latitude, degrees';
comment on column core.data_center.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'data_center' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when data_center_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats data_center_id ' || data_center_id, 'has no data_center_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify data_center_id is null or row_number() over (partition by data_center_id order by raw_table, raw_member, raw_row) > 1;

insert into core.data_center by name
select
    data_center_id,
    data_center_name,
    operator_name,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and data_center_id is not null
qualify row_number() over (partition by data_center_id order by raw_table, raw_member, raw_row) = 1
order by data_center_id;
