-- severity: error
-- description: a round trip is above 0 and finite, or the parcel says why it is unknown, and so does the node
with served as (
    select
        count(*) > 0 as is_known,
        -- Where light could reach land that a raster of people leaves out, nobody knows how many they are.
        (select coalesce(bool_or(covered_share < 1), false) from mart.people_state) as is_partial
    from mart.fiber_people
)

select metric.parcel_id as what, metric.rtt_metro_ms_mid as rtt_ms_mid, metric.rtt_unknown_reason as unknown_reason
from core.parcel_metric as metric
cross join served
where
    (
        metric.rtt_metro_ms_mid is null or metric.rtt_major_metro_ms_mid is null or metric.rtt_ixp_ms_mid is null
    ) <> (metric.rtt_unknown_reason is not null)
    or (metric.rtt_metro_ms_mid is null) <> (metric.rtt_metro_id is null)
    or (metric.rtt_major_metro_ms_mid is null) <> (metric.rtt_major_metro_id is null)
    or (metric.rtt_ixp_ms_mid is null) <> (metric.rtt_ixp_id is null)
    or (metric.people_10ms_mid is not null and (metric.lit_node_id is null or not served.is_known))
    or (
        metric.people_10ms_mid is null
        and metric.lit_node_id is not null
        and served.is_known
        and not served.is_partial
    )
    or not ((metric.rtt_metro_ms_low > 0 or metric.lit_node_mi = 0) and isfinite(metric.rtt_metro_ms_high))
    or not ((metric.rtt_major_metro_ms_low > 0 or metric.lit_node_mi = 0) and isfinite(metric.rtt_major_metro_ms_high))
    or not ((metric.rtt_ixp_ms_low > 0 or metric.lit_node_mi = 0) and isfinite(metric.rtt_ixp_ms_high))
union all
select node_id, rtt_ixp_ms_mid, unknown_reason
from mart.fiber_node
where
    is_connected is distinct from (unknown_reason is null)
    or is_connected is distinct from (rtt_ixp_ms_mid is not null)
    or not isfinite(rtt_ixp_ms_high)
union all
select link_id, rtt_ms_mid, 'a link'
from mart.fiber_link
where (rtt_ms_low > 0 and isfinite(rtt_ms_high)) is not true
union all
select metro_id || ' ' || node_id, rtt_ms_mid, 'a way to a metro'
from mart.fiber_metro_rtt
where isfinite(rtt_ms_high) is not true;
