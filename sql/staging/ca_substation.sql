-- From 60 kV on, the lowest that is transmission; elsewhere substations under 230 kV are inferred from lines.
-- A row within half a mile of a HIFLD substation of the same voltage is that substation (Edison's 220 kV is 230 kV).
create table staging.ca_substation as
with source as (
    select
        staging.word(Name) as name,
        staging.number(Max_Voltag) as kv_max,
        coalesce(staging.word(Status), 'blank') as status,
        staging.point_lon(geometry) as lon,
        staging.point_lat(geometry) as lat,
        raw_row
    from raw.ca_substation
),

known as (
    select
        source.raw_row,
        arg_min(
            hifld.substation_id, staging.miles(source.lon, source.lat, hifld.lon, hifld.lat)
        ) as hifld_id
    from source
    inner join staging.hifld_substation as hifld
        on
            source.kv_max between 0.95 * hifld.kv_max and 1.05 * hifld.kv_max
            and staging.miles(source.lon, source.lat, hifld.lon, hifld.lat) <= 0.5
    where source.kv_max >= 200 and hifld.reject_code is null
    group by source.raw_row
),

-- Two rows of one voltage that stand on the same spot (0.1 mi) are taps and bays of one station.
twin as (
    select distinct later.raw_row
    from source as later
    inner join source as earlier
        on
            later.kv_max = earlier.kv_max
            and later.raw_row > earlier.raw_row
            and staging.miles(later.lon, later.lat, earlier.lon, earlier.lat) <= 0.1
    where
        later.kv_max >= 60
        and later.status not in ('Proposed', 'Closed') and earlier.status not in ('Proposed', 'Closed')
),

coded as (
    select
        source.*,
        known.hifld_id,
        case
            when source.status in ('Proposed', 'Closed') then 'not_in_service'
            when source.kv_max is null or source.kv_max = 0 then 'invalid'
            when source.kv_max < 60 then 'not_used'
            when known.hifld_id is not null then 'merged'
            when twin.raw_row is not null then 'duplicate'
            else staging.point_reject_code(source.lon, source.lat)
        end as reject_code
    from source
    left join known using (raw_row)
    left join twin using (raw_row)
)

select
    'ca-' || raw_row as substation_id,
    nullif(name, 'Unknown') as substation_name,
    lon,
    lat,
    kv_max,
    null::double as kv_min,
    null::varchar as interconnect,
    null::varchar as zone_id,
    null::double as load_mw,
    'ca_substation' as source_id,
    'ca_substation' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'not_in_service' then 'its status is ' || status
        when 'invalid' then 'states no voltage (status ' || status || ')'
        when 'not_used'
            then kv_max::integer || ' kV is below the 60 kV from which a line is transmission (status ' || status || ')'
        when 'duplicate' then 'stands on the spot of an earlier row of the same voltage'
        when 'merged' then 'is ' || hifld_id
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
