-- No open package lists exchanges: a place where three carriers or more have a point of presence is taken for one.
-- CAIDA merges routers within 25 km, and carriers put one city's routers at places of several names, so that carriers
-- are counted within 25 km; of places that near to one another the one that most carriers name is taken.
create table staging.ixp_from_pop as
with near as (
    select
        here.pop_id,
        here.pop_name,
        here.lon,
        here.lat,
        there.pop_id as near_pop_id,
        there.carrier_id,
        there.pop_name is not distinct from here.pop_name as is_same_city
    from staging.topohub_pop as here
    inner join staging.topohub_pop as there
        on abs(here.lon - there.lon) < 0.4 and abs(here.lat - there.lat) < 0.3
    where
        here.reject_code is null and there.reject_code is null
        and here.carrier_kind = 'carrier' and there.carrier_kind = 'carrier'
        and staging.miles(here.lon, here.lat, there.lon, there.lat) * 1.609344 <= 25
),

place as (
    select
        pop_id,
        pop_name,
        lon,
        lat,
        count(distinct carrier_id) as carrier_count,
        count(distinct carrier_id) filter (where is_same_city) as city_carrier_count
    from near
    group by all
),

-- Each with those that take its place, if any.
better as (
    select near.pop_id
    from near
    inner join place as here on near.pop_id = here.pop_id
    inner join place as there on near.near_pop_id = there.pop_id
    where
        (there.city_carrier_count, there.carrier_count, here.pop_id)
        > (here.city_carrier_count, here.carrier_count, there.pop_id)
)

select
    'city-' || pop_id as ixp_id,
    pop_name as ixp_name,
    carrier_count,
    true as is_inferred,
    lon,
    lat,
    'topohub_backbone' as source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from place
where carrier_count >= 3 and pop_id not in (from better);
