create table core.fiber_route (
    route_id varchar primary key,
    route_name varchar,
    operator_name varchar,
    is_underground boolean,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.fiber_route is 'Courses of telecommunication lines, as far as somebody has mapped them; most fiber is not';
comment on column core.fiber_route.route_id is 'Id';
comment on column core.fiber_route.route_name is 'Name; NULL when the source gives none';
comment on column core.fiber_route.operator_name is 'Operator; NULL when the source gives none';
comment on column core.fiber_route.is_underground is 'Whether it lies in the ground; NULL when the source does not say';
comment on column core.fiber_route.source_id is 'Catalogue id of the source the row comes from';
comment on column core.fiber_route.geometry is 'Course of the line';

insert into meta.refused_row
select
    'fiber_route' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when route_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats route_id ' || route_id, 'has no route_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify route_id is null or row_number() over (partition by route_id order by raw_table, raw_member, raw_row) > 1;

insert into core.fiber_route by name
select
    route_id,
    route_name,
    operator_name,
    is_underground,
    source_id,
    geometry
from query_table(getvariable('staged'), true)
where reject_code is null and route_id is not null
qualify row_number() over (partition by route_id order by raw_table, raw_member, raw_row) = 1
order by route_id;
