create view mart.parcel_factor as
with valued as (
    select
        factor.workload,
        parcel.parcel_no,
        parcel.parcel_id,
        factor.metric,
        factor.label,
        metric_value.value,
        factor.weight,
        -- Rounding may leave 0 to 1 by an ulp. greatest() passes over NULL, and unknown is not 0.
        case when metric_value.value is not null then
            least(greatest(segment.from_value + segment.slope * (metric_value.value - segment.from_x), 0), 1)
        end as value_score
    from core.parcel
    cross join meta.factor
    left join (
        -- Most metrics are no factor: joined, they would double the time that all parcels take.
        select * from mart.parcel_metric_value where metric in (select metric from meta.factor)
    ) as metric_value
        on parcel.parcel_no = metric_value.parcel_no and factor.metric = metric_value.metric
    left join meta.value_segment as segment
        on
            factor.workload = segment.workload
            and factor.metric = segment.metric
            and metric_value.value >= segment.from_x
            and metric_value.value < segment.to_x
    where not factor.is_removed
)

select *, 100 * weight * value_score as points from valued;
comment on view mart.parcel_factor is 'Every weighted factor of every parcel: its value, its value score and the points it brings';
comment on column mart.parcel_factor.workload is 'Workload';
comment on column mart.parcel_factor.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_factor.parcel_id is 'Parcel';
comment on column mart.parcel_factor.metric is 'Metric of the factor';
comment on column mart.parcel_factor.label is 'The factor in words';
comment on column mart.parcel_factor.value is 'Value of the metric in its own unit; NULL is unknown';
comment on column mart.parcel_factor.weight is 'Weight in this study, 0 to 1';
comment on column mart.parcel_factor.value_score is 'Value function of the metric, 0 to 1; NULL is unknown';
comment on column mart.parcel_factor.points is 'Part of the score, 0 to 100 times the weight; NULL is unknown';
