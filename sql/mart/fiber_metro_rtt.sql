create table mart.fiber_metro_rtt (
    metro_id varchar,
    node_id varchar,
    rtt_ms_low double,
    rtt_ms_mid double,
    rtt_ms_high double
);
comment on table mart.fiber_metro_rtt is
'Round trips between every metro and every fiber node; a pair that no path joins has no row';
comment on column mart.fiber_metro_rtt.metro_id is 'Metro';
comment on column mart.fiber_metro_rtt.node_id is 'Node';
comment on column mart.fiber_metro_rtt.rtt_ms_low is 'Round trip between the metro''s centre and the node, low end, ms';
comment on column mart.fiber_metro_rtt.rtt_ms_mid is 'The same, middle';
comment on column mart.fiber_metro_rtt.rtt_ms_high is 'The same, high end';

insert into mart.fiber_metro_rtt by name
select
    metro_id,
    node_id,
    rtt_ms_low,
    rtt_ms_mid,
    rtt_ms_high
from read_parquet($fiber_metro_rtt_path)
order by metro_id, node_id;
