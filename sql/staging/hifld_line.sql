-- Segments decoded from map tiles. What a class is worth in kV is an interval; unknown classes stay NULL.
create table staging.hifld_line as
with classed as (
    select
        'hifld-' || raw_row as line_id,
        staging.word(VOLT_CLASS) as volt_class,
        case staging.word(VOLT_CLASS)
            when '100-161' then 100 when '220-287' then 220 when '345' then 345 when '500' then 500
            when '735 AND ABOVE' then 735
        end::double as kv_min,
        case staging.word(VOLT_CLASS)
            when 'UNDER 100' then 100 when 'SUB 100' then 100 when '100-161' then 161 when '220-287' then 287
            when '345' then 345 when '500' then 500
        end::double as kv_max,
        coalesce(staging.word(VOLT_CLASS) = 'DC', false) as is_dc,
        geometry,
        raw_row,
        row_number() over (partition by geometry, VOLT_CLASS order by raw_row) as copy_no
    from raw.hifld_line
),

-- A line of one point, written twice: 2-D WKB of two vertices has 41 bytes, the vertices at 10 and 26.
coded as (
    select
        *,
        case
            when
                staging.word(volt_class) is not null
                and volt_class not in (
                    'UNDER 100', 'SUB 100', '100-161', '220-287', '345', '500', '735 AND ABOVE', 'DC',
                    'NOT AVAILABLE'
                )
                then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when octet_length(geometry) = 41 and substr(hex(geometry), 19, 32) = substr(hex(geometry), 51, 32)
                then 'invalid'
            when copy_no > 1 then 'duplicate'
        end as reject_code
    from classed
)

select
    line_id,
    kv_min,
    kv_max,
    is_dc,
    null::double as rating_mva,
    null::double as flow_mw,
    null::varchar as from_substation_id,
    null::varchar as to_substation_id,
    'hifld_line' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'hifld_line' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'outside_area' then 'lies outside the 48 states'
        when 'duplicate' then 'has the course and the class of an earlier row'
        when 'invalid'
            then case
                when staging.touches_area(geometry) and octet_length(geometry) = 41 then 'has no length'
                else 'VOLT_CLASS ' || volt_class || ' is not known'
            end
    end as reject_reason
from coded;
