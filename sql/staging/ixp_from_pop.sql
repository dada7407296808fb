-- No open package lists exchanges: a city where three carriers or more have a point of presence is taken for one.
-- CAIDA merges routers within 25 km, so the PoPs of one city carry one name and stand less than half a degree apart.
create table staging.ixp_from_pop as
with city as (
    select
        here.pop_id,
        here.pop_name,
        min(near.pop_id) as first_pop_id,
        count(distinct near.carrier_id) as carrier_count
    from staging.topohub_pop as here
    inner join staging.topohub_pop as near
        on
            here.pop_name = near.pop_name
            and abs(here.lon - near.lon) < 0.5
            and abs(here.lat - near.lat) < 0.5
    where
        here.reject_code is null and near.reject_code is null
        and here.carrier_kind = 'carrier' and near.carrier_kind = 'carrier'
    group by here.pop_id, here.pop_name
),

first_of_city as (
    select first_pop_id, max(carrier_count) as carrier_count
    from city
    group by first_pop_id
)

select
    'city-' || pop.pop_id as ixp_id,
    pop.pop_name as ixp_name,
    first_of_city.carrier_count,
    true as is_inferred,
    pop.lon,
    pop.lat,
    'topohub_backbone' as source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from first_of_city
inner join staging.topohub_pop as pop on first_of_city.first_pop_id = pop.pop_id
where first_of_city.carrier_count >= 3;
