-- All voltages from 60 kV on, in every state. Taps, risers and dead ends are places of lines, no substations.
-- MAX_VOLT and MIN_VOLT are -999999 where they are not known; UNKNOWN123 and TAP123 are no names.
create table staging.hifld_open_substation as
with renamed as (
    select
        'hifld-' || coalesce(staging.word(ID), 'row-' || raw_row) as substation_id,
        case
            when not regexp_full_match(upper(staging.word(NAME)), '(UNKNOWN|TAP|RISER|DEAD END|NOT AVAILABLE) ?[0-9]*')
                then staging.word(NAME)
        end as substation_name,
        staging.point_lon(geometry) as lon,
        staging.point_lat(geometry) as lat,
        case when staging.number(MAX_VOLT) between 1 and 1200 then staging.number(MAX_VOLT) end as kv_max,
        case when staging.number(MIN_VOLT) between 69 and staging.number(MAX_VOLT) then staging.number(MIN_VOLT) end as kv_min,
        null::varchar as interconnect,
        null::varchar as zone_id,
        null::double as load_mw,
        'hifld_open_substation' as source_id,
        'hifld_open_substation' as raw_table,
        raw_row,
        upper(coalesce(staging.word(TYPE), 'NOT AVAILABLE')) as place_type,
        upper(coalesce(staging.word(STATUS), 'NOT AVAILABLE')) as status
    from raw.hifld_open_substation
),

judged as (
    select
        *,
        case
            when place_type in ('TAP', 'RISER', 'DEAD END') then 'not_used'
            when status not in ('IN SERVICE', 'NOT AVAILABLE') then 'not_in_service'
            when kv_max is null then 'invalid'
            when kv_max < 60 then 'not_used'
            else staging.point_reject_code(lon, lat)
        end as fault
    from renamed
),

coded as (
    select
        *,
        case
            when fault is not null then fault
            when row_number() over (partition by fault, substation_id order by raw_row) > 1 then 'duplicate'
        end as reject_code
    from judged
)

select
    * exclude (place_type, status, fault),
    case
        when place_type in ('TAP', 'RISER', 'DEAD END') then 'is a ' || lower(place_type) || ' of a line'
        when reject_code = 'not_in_service' then 'its status is ' || status
        when reject_code = 'not_used' then kv_max || ' kV is below the 60 kV from which a line is transmission'
        when reject_code = 'duplicate' then 'repeats ' || substation_id
        when kv_max is null then 'states no voltage'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
