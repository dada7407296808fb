-- Of each value that is known the parcel, the position of its factor in $metrics, and its value score in millionths.
select
    parcel_no::integer as parcel_no,
    (list_position($metrics, metric) - 1)::integer as factor_no,
    round(value_score * 1e6)::integer as millionths
from mart.parcel_factor
where workload = $workload and value_score is not null;
