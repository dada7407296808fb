-- severity: error
-- description: a longer round trip reaches no fewer people, and none reaches more than fiber serves
with served as (
    -- Whole people are rounded, halves up.
    select coalesce(sum(people), 0) * (1 + 1e-9) + 0.5 as people
    from mart.fiber_people
)

select
    metric.parcel_id,
    metric.people_5ms_mid,
    metric.people_10ms_mid,
    metric.people_20ms_mid,
    metric.people_20ms_high
from core.parcel_metric as metric
cross join served
where
    metric.people_5ms_low > metric.people_10ms_low
    or metric.people_5ms_mid > metric.people_10ms_mid
    or metric.people_5ms_high > metric.people_10ms_high
    or metric.people_10ms_low > metric.people_20ms_low
    or metric.people_10ms_mid > metric.people_20ms_mid
    or metric.people_10ms_high > metric.people_20ms_high
    or metric.people_20ms_high > served.people;
