-- severity: warn
-- description: a weighted factor or a gate is unknown for every parcel and not named in the study's `without`
select distinct named.workload, named.metric
from (
    select workload, metric from meta.factor where not is_removed
    union
    select workload, metric from meta.gate where not is_removed
) as named
where named.metric not in (select distinct metric from mart.parcel_metric_value);
