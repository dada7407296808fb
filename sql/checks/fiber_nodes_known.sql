-- severity: error
-- description: whatever names a fiber node, an exchange or a metro names one that is listed, and a parcel's lit node is the nearest in its reach
with named as (
    select 'fiber_pop' as by_table, node_id from mart.fiber_pop
    union all
    select 'fiber_link', from_node_id from mart.fiber_link
    union all
    select 'fiber_link', to_node_id from mart.fiber_link
    union all
    select 'fiber_metro_rtt', node_id from mart.fiber_metro_rtt
    union all
    select 'fiber_people', node_id from mart.fiber_people
    union all
    select 'parcel_access', node_id from core.parcel_access
    union all
    select 'parcel_metric', diverse_node_id from core.parcel_metric
    where diverse_node_id is not null
)

select by_table, node_id as named
from named
where node_id is null or node_id not in (select node_id from mart.fiber_node)
union all
select 'fiber_node', rtt_ixp_id
from mart.fiber_node
where rtt_ixp_id not in (select ixp_id from core.ixp)
union all
select 'fiber_metro_rtt', metro_id
from mart.fiber_metro_rtt
where metro_id is null or metro_id not in (select metro_id from core.metro)
union all
select 'parcel_metric', metric.parcel_id
from core.parcel_metric as metric
inner join core.parcel as parcel on metric.parcel_id = parcel.parcel_id
left join core.parcel_access as access on parcel.parcel_no = access.parcel_no and access.access_no = 1
where
    metric.lit_node_id is distinct from access.node_id
    or abs(metric.lit_node_mi - access.access_mi) > 1e-6;
