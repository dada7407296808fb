create table mart.fiber_pop (
    pop_id varchar primary key,
    node_id varchar,
    carrier_id varchar,
    carrier_name varchar
);
comment on table mart.fiber_pop is 'Points of presence of carriers, and the node of the fiber graph that each is part of';
comment on column mart.fiber_pop.pop_id is 'Point of presence, as in core.pop';
comment on column mart.fiber_pop.node_id is 'Node';
comment on column mart.fiber_pop.carrier_id is 'Carrier';
comment on column mart.fiber_pop.carrier_name is 'Carrier''s name';

insert into mart.fiber_pop by name
select
    pop_id,
    node_id,
    carrier_id,
    carrier_name
from read_parquet($fiber_pop_path)
order by pop_id;
