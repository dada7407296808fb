create table core.line (
    line_id varchar primary key,
    kv_min double,
    kv_max double,
    is_dc boolean,
    rating_mva double,
    flow_mw double,
    from_substation_id varchar,
    to_substation_id varchar,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.line is 'Transmission lines; one row a circuit (network case) or a mapped segment (public record)';
comment on column core.line.line_id is 'Id of the line';
comment on column core.line.kv_min is 'Lower end of the voltage class, kV; NULL when the class is not known';
comment on column core.line.kv_max is 'Upper end of the voltage class, kV; NULL when open or not known';
comment on column core.line.is_dc is 'Whether the line is direct current';
comment on column core.line.rating_mva is 'Thermal rating, MVA; NULL when not given';
comment on column core.line.flow_mw is 'What it carries in the network''s base case, MW; NULL without one';
comment on column core.line.from_substation_id is 'Substation at one end; NULL when the source has no topology';
comment on column core.line.to_substation_id is 'Substation at the other end; NULL when the source has no topology';
comment on column core.line.source_id is 'Catalogue id of the source the row comes from';
comment on column core.line.geometry is 'Course of the line (network case: the straight line between its substations)';

insert into meta.refused_row
select
    'line' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when line_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats line_id ' || line_id, 'has no line_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify line_id is null or row_number() over (partition by line_id order by raw_table, raw_member, raw_row) > 1;

insert into core.line by name
select
    line_id,
    kv_min,
    kv_max,
    is_dc,
    rating_mva,
    flow_mw,
    from_substation_id,
    to_substation_id,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and line_id is not null
qualify row_number() over (partition by line_id order by raw_table, raw_member, raw_row) = 1
order by line_id;
