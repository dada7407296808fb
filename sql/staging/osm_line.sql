-- A way with several voltages carries several circuits; it counts with the highest. Without one its class is unknown.
create table staging.osm_line as
with parsed as (
    select
        'osm-' || osm_type || '-' || osm_id as line_id,
        list_max([
            try_cast(trim(part) as double) / 1000 for part in string_split(voltage, ';')
            if try_cast(trim(part) as double) >= 1000
        ]) as kv,
        coalesce(try_cast(trim(frequency) as double) = 0, false) as is_dc,
        geometry,
        st_astext(st_geomfromwkb(geometry)) like 'LINESTRING%' as is_line,
        raw_row
    from raw.osm_line
),

coded as (
    select
        *,
        case
            when not is_line then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when kv < 60 then 'not_used'
        end as reject_code
    from parsed
)

select
    line_id,
    kv as kv_min,
    kv as kv_max,
    is_dc,
    null::double as rating_mva,
    null::double as flow_mw,
    null::varchar as from_substation_id,
    null::varchar as to_substation_id,
    'osm_power' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'osm_line' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'invalid' then 'is tagged as a line but has another shape'
        when 'outside_area' then 'lies outside the 48 states'
        when 'not_used' then kv || ' kV is below the 60 kV from which a line is transmission'
    end as reject_reason
from coded;
