-- Census totals of each state spread over its places in proportion to the people that the source of places counts.
-- The coarsest way to put people at points, for studies with neither tracts nor a raster of people: who lives
-- outside of any place stands in one, and sources count suburbs within their city and again by themselves. Totals
-- of the states hold all the same. A state without a place that somebody lives in has no people here, which the
-- check people_conserved tells. Made of core layers, so that places of any source will do.
create table staging.people_from_place as
with place as (
    select
        place_id,
        state_id,
        place_people,
        lon,
        lat,
        source_id,
        sum(place_people) over (partition by state_id) as state_place_people
    from core.place
    where place_people > 0
)

select
    place.place_id as people_id,
    state.population_people * (place.place_people / place.state_place_people) as people,
    state.population_people / place.state_place_people as scale_factor,
    'place_scaled_to_state' as method,
    place.state_id,
    null::varchar as county_id,
    place.lon,
    place.lat,
    place.source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from place
inner join core.state as state using (state_id)
where state.population_people is not null;
