-- severity: error
-- description: no link is quicker than light in fiber over its length, and no way to a metro quicker than over the great circle
with light as (
    select 2 * low / 1000 as ms_per_km
    from meta.latency_rule
    where name = 'light_us_per_km'
),

nearest as (
    select parcel_id, rtt_metro_id as metro_id, rtt_metro_ms_low as rtt_ms_low
    from core.parcel_metric
    union all
    select parcel_id, rtt_major_metro_id, rtt_major_metro_ms_low
    from core.parcel_metric
),

way as (
    select
        rtt.metro_id || ' ' || rtt.node_id as what,
        rtt.rtt_ms_low,
        node.lon,
        node.lat,
        metro.lon as metro_lon,
        metro.lat as metro_lat
    from mart.fiber_metro_rtt as rtt
    inner join mart.fiber_node as node on rtt.node_id = node.node_id
    inner join core.metro as metro on rtt.metro_id = metro.metro_id
    union all
    select
        parcel.parcel_id || ' ' || metro.metro_id,
        nearest.rtt_ms_low,
        parcel.lon,
        parcel.lat,
        metro.lon,
        metro.lat
    from nearest
    inner join core.parcel as parcel on nearest.parcel_id = parcel.parcel_id
    inner join core.metro as metro on nearest.metro_id = metro.metro_id
),

measured as (
    select
        what,
        rtt_ms_low,
        -- Haversines on the least radius of curvature of the ellipsoid, that of the meridian at the equator:
        -- never longer than the geodesic, and at most 1 % shorter.
        2 * 6335.439 * asin(least(1, sqrt(
            power(sin(radians(lat - metro_lat) / 2), 2)
            + cos(radians(lat)) * cos(radians(metro_lat)) * power(sin(radians(lon - metro_lon) / 2), 2)
        ))) as km
    from way
    union all
    select link_id, rtt_ms_low, greatest(length_km, route_km)
    from mart.fiber_link
)

select measured.what, measured.rtt_ms_low, measured.km
from measured
cross join light
where measured.rtt_ms_low < measured.km * light.ms_per_km - 1e-6;
