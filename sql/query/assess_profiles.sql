-- Gates, factors and their value functions in one list; those that the study took out are left out.
select
    workload,
    'gate' as kind,
    metric,
    at_least,
    at_most,
    null as label,
    null as weight,
    null as from_x,
    null as to_x,
    null as from_value,
    null as slope
from meta.gate
where not is_removed
union all
select
    factor.workload,
    'factor' as kind,
    factor.metric,
    null as at_least,
    null as at_most,
    factor.label,
    factor.weight,
    segment.from_x,
    segment.to_x,
    segment.from_value,
    segment.slope
from meta.factor as factor
inner join meta.value_segment as segment on factor.workload = segment.workload and factor.metric = segment.metric
where not factor.is_removed
order by workload, kind, metric, from_x;
