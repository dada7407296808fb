create table meta.fiber_dropped (
    what varchar,
    dropped_id varchar,
    reason varchar
);
comment on table meta.fiber_dropped is 'Points of presence and links that take no part in the fiber graph, and why';
comment on column meta.fiber_dropped.what is 'pop, facility, ixp or link';
comment on column meta.fiber_dropped.dropped_id is 'Its id, as in the layer';
comment on column meta.fiber_dropped.reason is 'Why it takes no part';

insert into meta.fiber_dropped by name
select
    what,
    dropped_id,
    reason
from read_parquet($fiber_dropped_path)
order by what, dropped_id, reason;
