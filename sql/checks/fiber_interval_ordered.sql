-- severity: error
-- description: every round trip and count of people in reach is known at all ends or at none, and rises from low to high from 0 on
with triple as (
    select
        parcel_id as what,
        unnest([
            {'name': 'rtt_metro_ms', 'low': rtt_metro_ms_low, 'mid': rtt_metro_ms_mid, 'high': rtt_metro_ms_high},
            {
                'name': 'rtt_major_metro_ms',
                'low': rtt_major_metro_ms_low,
                'mid': rtt_major_metro_ms_mid,
                'high': rtt_major_metro_ms_high
            },
            {'name': 'rtt_ixp_ms', 'low': rtt_ixp_ms_low, 'mid': rtt_ixp_ms_mid, 'high': rtt_ixp_ms_high},
            {'name': 'people_5ms', 'low': people_5ms_low, 'mid': people_5ms_mid, 'high': people_5ms_high},
            {'name': 'people_10ms', 'low': people_10ms_low, 'mid': people_10ms_mid, 'high': people_10ms_high},
            {'name': 'people_20ms', 'low': people_20ms_low, 'mid': people_20ms_mid, 'high': people_20ms_high}
        ], recursive := true)
    from core.parcel_metric
    union all by name
    select link_id as what, 'link' as name, rtt_ms_low as low, rtt_ms_mid as mid, rtt_ms_high as high
    from mart.fiber_link
    union all by name
    select node_id as what, 'rtt_ixp_ms' as name, rtt_ixp_ms_low as low, rtt_ixp_ms_mid as mid, rtt_ixp_ms_high as high
    from mart.fiber_node
    union all by name
    select metro_id || ' ' || node_id as what, 'metro' as name, rtt_ms_low as low, rtt_ms_mid as mid, rtt_ms_high as high
    from mart.fiber_metro_rtt
)

select what, name, low, mid, high
from triple
where
    (low >= 0 and low <= mid and mid <= high) is false
    or (mid is null) <> (low is null)
    or (mid is null) <> (high is null);
