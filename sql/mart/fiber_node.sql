create table mart.fiber_node (
    node_id varchar primary key,
    node_name varchar,
    carrier_count bigint,
    pop_count bigint,
    facility_count bigint,
    ixp_count bigint,
    landing_count bigint,
    is_interconnection boolean,
    is_inferred boolean,
    is_connected boolean,
    rtt_ixp_ms_low double,
    rtt_ixp_ms_mid double,
    rtt_ixp_ms_high double,
    rtt_ixp_id varchar,
    disjoint_path_count bigint,
    path_basis varchar,
    unknown_reason varchar,
    lon double,
    lat double,
    geometry geometry('OGC:CRS84')
);
comment on table mart.fiber_node is
'Nodes of the fiber graph: points of presence, facilities, exchanges and landings that stand together';
comment on column mart.fiber_node.node_id is 'Id of the node, from the first of its members';
comment on column mart.fiber_node.node_name is 'Name or city';
comment on column mart.fiber_node.carrier_count is 'Carriers with a point of presence here';
comment on column mart.fiber_node.pop_count is 'Points of presence of carriers';
comment on column mart.fiber_node.facility_count is 'Colocation facilities';
comment on column mart.fiber_node.ixp_count is 'Internet exchanges';
comment on column mart.fiber_node.landing_count is 'Landings of submarine cables';
comment on column mart.fiber_node.is_interconnection is 'Whether carriers can be changed here';
comment on column mart.fiber_node.is_inferred is
'True when that is taken from the number of its carriers, not from a listed exchange or facility';
comment on column mart.fiber_node.is_connected is 'Whether links lead from here to an exchange';
comment on column mart.fiber_node.rtt_ixp_ms_low is 'Round trip to the exchange of the least middle one, low end, ms';
comment on column mart.fiber_node.rtt_ixp_ms_mid is 'The same, middle; NULL where no exchange is reached';
comment on column mart.fiber_node.rtt_ixp_ms_high is 'The same, high end';
comment on column mart.fiber_node.rtt_ixp_id is 'That exchange, as in core.ixp';
comment on column mart.fiber_node.disjoint_path_count is
'Paths without a shared link from here to exchanges of different metros, counted to 4';
comment on column mart.fiber_node.path_basis is
'What those paths are made of: logical (IP adjacencies; says nothing of cables), mapped (straight links of carriers'' maps) or right_of_way (all laid along interstates, railroads or mapped routes)';
comment on column mart.fiber_node.unknown_reason is 'Why its round trips are unknown; NULL when they are known';
comment on column mart.fiber_node.lon is 'Longitude, degrees';
comment on column mart.fiber_node.lat is 'Latitude, degrees';
comment on column mart.fiber_node.geometry is 'The node, a point';

insert into mart.fiber_node by name
select
    node_id,
    node_name,
    carrier_count,
    pop_count,
    facility_count,
    ixp_count,
    landing_count,
    is_interconnection,
    is_inferred,
    is_connected,
    rtt_ixp_ms_low,
    rtt_ixp_ms_mid,
    rtt_ixp_ms_high,
    rtt_ixp_id,
    disjoint_path_count,
    path_basis,
    unknown_reason,
    lon,
    lat,
    st_setcrs(format('POINT ({} {})', lon, lat)::geometry, 'OGC:CRS84') as geometry
from read_parquet($fiber_path)
order by node_id;
