select workload, metric, 'factor' as kind, profile_weight, removed_why
from meta.factor where is_removed
union all
select workload, metric, 'gate', null, removed_why
from meta.gate where is_removed
order by workload, metric, kind;
