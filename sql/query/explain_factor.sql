select
    factor.workload,
    factor.metric,
    factor.label,
    factor.value,
    metric.unit,
    factor.value_score,
    factor.weight,
    factor.points,
    100 * factor.weight as points_possible,
    (
        select list(distinct layer_source.source_id order by layer_source.source_id)
        from meta.layer_source
        where list_contains(string_split(metric.layer, ' '), layer_source.layer)
    ) as sources
from mart.parcel_factor as factor
inner join meta.metric as metric on factor.metric = metric.metric
where factor.parcel_id = $parcel_id
order by factor.workload desc, factor.weight desc, factor.metric;
