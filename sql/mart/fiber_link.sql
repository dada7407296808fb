create table mart.fiber_link (
    link_id varchar primary key,
    from_node_id varchar,
    to_node_id varchar,
    carrier_id varchar,
    carrier_name varchar,
    link_kind varchar,
    how varchar,
    length_km double,
    route_km double,
    rtt_ms_low double,
    rtt_ms_mid double,
    rtt_ms_high double,
    pair_carrier_count bigint,
    source_id varchar,
    geometry geometry('OGC:CRS84')
);
comment on table mart.fiber_link is 'Links of the fiber graph: one a carrier and pair of nodes';
comment on column mart.fiber_link.link_id is 'Id of the link, of the first that was merged into it';
comment on column mart.fiber_link.from_node_id is 'Node at one end';
comment on column mart.fiber_link.to_node_id is 'Node at the other end';
comment on column mart.fiber_link.carrier_id is 'Carrier; NULL for interconnection and backhaul, which serve any carrier at the node';
comment on column mart.fiber_link.carrier_name is 'Carrier''s name';
comment on column mart.fiber_link.link_kind is
'ip_adjacency (routers that see each other, up to 4,400 km: logical, never a cable), mapped (on a carrier''s map) interconnection (assumed: a carrier near an exchange building reaches it) or backhaul (assumed: capacity to the nearest exchange, for a node that none is near; never counted as diverse)';
comment on column mart.fiber_link.how is
'right_of_way (laid along interstates, railroads or mapped routes) or straight (great circle times an interval)';
comment on column mart.fiber_link.length_km is 'Great-circle length between its nodes, km';
comment on column mart.fiber_link.route_km is 'Length along the right of way, km; NULL for a straight link';
comment on column mart.fiber_link.rtt_ms_low is 'Round trip over the link, low end, ms';
comment on column mart.fiber_link.rtt_ms_mid is 'Round trip over the link, middle, ms';
comment on column mart.fiber_link.rtt_ms_high is 'Round trip over the link, high end, ms';
comment on column mart.fiber_link.pair_carrier_count is 'Carriers with a link between these two nodes';
comment on column mart.fiber_link.source_id is 'Catalogue id of the source the link comes from; NULL when assumed';
comment on column mart.fiber_link.geometry is 'Straight line between its nodes, whatever way it is laid';

insert into mart.fiber_link by name
select
    link.link_id,
    link.from_node_id,
    link.to_node_id,
    link.carrier_id,
    link.carrier_name,
    link.link_kind,
    link.how,
    link.length_km,
    link.route_km,
    link.rtt_ms_low,
    link.rtt_ms_mid,
    link.rtt_ms_high,
    link.pair_carrier_count,
    link.source_id,
    st_setcrs(
        format('LINESTRING ({} {}, {} {})', a.lon, a.lat, b.lon, b.lat)::geometry, 'OGC:CRS84'
    ) as geometry
from read_parquet($fiber_link_path) as link
inner join mart.fiber_node as a on link.from_node_id = a.node_id
inner join mart.fiber_node as b on link.to_node_id = b.node_id
order by link.link_id;
