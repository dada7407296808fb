-- Points are summed as whole billionths, so that the order of the sum cannot change a rank.
insert into staging.parcel_sum by name
with factor as (
    select
        workload,
        parcel_no,
        sum(round(coalesce(points, 0) * 1e9)::bigint)::bigint as low,
        sum(case when points is null then round(100 * weight * 1e9)::bigint else 0 end)::bigint as unknown,
        list(metric order by metric) filter (where points is null) as factors_unknown
    from mart.parcel_factor
    where parcel_no between $first_no and $last_no
    group by workload, parcel_no
),

gate as (
    select
        workload,
        parcel_no,
        list(metric order by metric) filter (where gate_status = 'fail') as gates_failed,
        list(metric order by metric) filter (where gate_status = 'unknown') as gates_unknown
    from mart.parcel_gate
    where parcel_no between $first_no and $last_no
    group by workload, parcel_no
)

select
    factor.*,
    gate.gates_failed,
    gate.gates_unknown
from factor
left join gate using (workload, parcel_no);
