-- severity: error
-- description: a parcel has two disjoint paths where a diverse node in reach is named, one where its lit node has a path, and is single-homed below two
with reach as (
    -- Ends of the same length may differ by rounding.
    select any_value(high) + 1e-6 as mi
    from meta.latency_rule
    where name = 'node_reach_mi'
)

select
    metric.parcel_id,
    metric.disjoint_path_count,
    metric.lit_node_id,
    metric.diverse_node_id,
    metric.is_single_homed
from core.parcel_metric as metric
cross join reach
left join mart.fiber_node as lit on metric.lit_node_id = lit.node_id
left join mart.fiber_node as other on metric.diverse_node_id = other.node_id
where
    (metric.disjoint_path_count is null) <> (metric.lit_node_id is null)
    or metric.disjoint_path_count not in (0, 1, 2)
    or (metric.disjoint_path_count is not distinct from 2) <> (metric.diverse_node_id is not null)
    or metric.is_single_homed is distinct from (metric.disjoint_path_count < 2)
    or (metric.diverse_node_mi is null) <> (metric.diverse_node_id is null)
    or metric.diverse_node_id = metric.lit_node_id
    or metric.diverse_node_mi < metric.lit_node_mi - 1e-6
    or metric.diverse_node_mi > reach.mi
    or metric.lit_node_mi > reach.mi
    or metric.lit_node_musd < 0
    or metric.diverse_node_musd < metric.lit_node_musd - 1e-6
    -- Nodes that lead nowhere serve nobody; one without a path of its own is no first and no second way.
    or lit.is_connected is false
    or other.is_connected is false
    or (metric.disjoint_path_count > 0) <> (lit.disjoint_path_count > 0)
    or (metric.disjoint_path_count = 2 and other.disjoint_path_count < 1)
    or metric.path_basis not in ('logical', 'mapped', 'right_of_way')
    or lit.disjoint_path_count not between 0 and 4;
