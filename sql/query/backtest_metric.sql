-- Factors and gates of a workload that rest on where data centers stand: by the layers that they are measured
-- from, or through the fiber graph, whose nodes are exchanges and facilities where the build has any.
with used as (
    select
        'factor' as kind,
        metric,
        weight
    from meta.factor
    where workload = $workload and not is_removed
    union all by name
    select
        'gate' as kind,
        metric
    from meta.gate
    where workload = $workload and not is_removed
),

graph as (
    select coalesce(list(distinct layer order by layer), []) as layers
    from meta.layer_source
    where list_contains($graph_layers, layer) and row_count > 0
)

select
    used.kind,
    used.metric,
    metric.label,
    used.weight,
    list_sort(list_intersect(string_split(metric.layer, ' '), $presence_layers)) as measured_from,
    case when list_contains(string_split(metric.layer, ' '), $graph_by) then graph.layers else [] end as graph_holds
from used
inner join meta.metric as metric using (metric)
cross join graph
order by used.kind, used.weight desc nulls last, used.metric;
