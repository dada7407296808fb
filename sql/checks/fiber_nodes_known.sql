-- severity: error
-- description: whatever names a fiber node, an exchange or a metro names one that is listed, and no node of a parcel's reach with a path is nearer than its lit one
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
left join mart.fiber_node as lit on metric.lit_node_id = lit.node_id
left join core.parcel_access as access on parcel.parcel_no = access.parcel_no
left join mart.fiber_node as node on access.node_id = node.node_id
group by metric.parcel_id, metric.lit_node_id, metric.lit_node_mi, lit.disjoint_path_count
having
    (metric.lit_node_id is null) <> (count(access.node_id) = 0)
    -- Without a path it is the first of the reach.
    or (
        lit.disjoint_path_count is distinct from 0
        and metric.lit_node_mi > min(access.access_mi) filter (where node.disjoint_path_count > 0) + 1e-6
    )
    or (
        lit.disjoint_path_count = 0
        and (
            count(*) filter (where node.disjoint_path_count > 0) > 0
            or metric.lit_node_id is distinct from min_by(access.node_id, access.access_no)
        )
    )
    or metric.lit_node_mi < min(access.access_mi) - 1e-6
    or abs(metric.lit_node_mi - min(access.access_mi) filter (where access.node_id = metric.lit_node_id)) > 1e-6;
