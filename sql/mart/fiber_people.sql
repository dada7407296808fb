create table mart.fiber_people (
    node_id varchar,
    tail_km double,
    people double
);
comment on table mart.fiber_people is
'People by the fiber node nearest to them, with their distance from it; those beyond the reach have no row';
comment on column mart.fiber_people.node_id is 'Nearest connected node';
comment on column mart.fiber_people.tail_km is 'Great circle between the people and the node, km';
comment on column mart.fiber_people.people is 'People there';

insert into mart.fiber_people by name
select
    node_id,
    tail_km,
    people
from read_parquet($fiber_people_path)
order by node_id, tail_km, people;
