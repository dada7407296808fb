select
    factor.workload,
    factor.metric,
    factor.label,
    metric.unit,
    metric.label as metric_label,
    string_split(metric.layer, ' ') as layers,
    factor.weight,
    100 * factor.weight as points_possible,
    factor.why,
    (
        select
            list({
                'from_x': segment.from_x,
                'to_x': segment.to_x,
                'from_value': segment.from_value,
                'slope': segment.slope
            } order by segment.from_x)
        from meta.value_segment as segment
        where segment.workload = factor.workload and segment.metric = factor.metric
    ) as pieces
from meta.factor
inner join meta.metric as metric on factor.metric = metric.metric
where not factor.is_removed
order by factor.workload, factor.weight desc, factor.metric;
