create table staging.ne_place as
with renamed as (
    select
        'ne-' || place.raw_row as place_id,
        staging.word(place.NAME) as place_name,
        state.state as state_id,
        place.POP_MAX::bigint as place_people,
        place.LONGITUDE::double as lon,
        place.LATITUDE::double as lat,
        'ne_place' as source_id,
        'ne_place' as raw_table,
        place.raw_row,
        place.ADM0_A3 as country
    from raw.ne_place as place
    left join raw.ref_state as state on place.ADM1NAME = state.state_name and place.ADM0_A3 = 'USA'
)

select
    * exclude (country),
    case
        when state_id is null then 'outside_area' else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when country is distinct from 'USA' then 'lies in ' || coalesce(country, 'no country')
        when state_id is null then 'lies outside the 48 states'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
