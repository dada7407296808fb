create table core.dc_tie (
    dc_tie_id varchar primary key,
    from_bus_id varchar,
    to_bus_id varchar,
    min_mw double,
    max_mw double,
    flow_mw double,
    from_interconnect varchar,
    to_interconnect varchar,
    source_id varchar
);
comment on table core.dc_tie is 'Direct-current ties between interconnections of a network case';
comment on column core.dc_tie.dc_tie_id is 'Id';
comment on column core.dc_tie.from_bus_id is 'From bus';
comment on column core.dc_tie.to_bus_id is 'To bus';
comment on column core.dc_tie.min_mw is 'Lowest schedule, MW';
comment on column core.dc_tie.max_mw is 'Highest schedule, MW';
comment on column core.dc_tie.flow_mw is 'Base schedule, MW';
comment on column core.dc_tie.from_interconnect is 'Interconnection of the from bus';
comment on column core.dc_tie.to_interconnect is 'Interconnection of the to bus';
comment on column core.dc_tie.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'dc_tie' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when dc_tie_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats dc_tie_id ' || dc_tie_id, 'has no dc_tie_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify dc_tie_id is null or row_number() over (partition by dc_tie_id order by raw_table, raw_member, raw_row) > 1;

insert into core.dc_tie by name
select
    dc_tie_id,
    from_bus_id,
    to_bus_id,
    min_mw,
    max_mw,
    flow_mw,
    from_interconnect,
    to_interconnect,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and dc_tie_id is not null
qualify row_number() over (partition by dc_tie_id order by raw_table, raw_member, raw_row) = 1
order by dc_tie_id;
