-- One row a line between two substations, with its voltage where it is known; else its class is an interval.
create table staging.eia_line as
with classed as (
    select
        case
            when staging.word(ID) is null or staging.word(ID) = 'NOT AVAILABLE' then 'eia-row-' || raw_row
            else 'eia-' || staging.word(ID)
        end as line_id,
        upper(staging.word(VOLT_CLASS)) as volt_class,
        upper(coalesce(staging.word(STATUS), 'NOT AVAILABLE')) as status,
        upper(staging.word(TYPE)) as line_type,
        -- -999999 stands for unknown.
        case when staging.number(VOLTAGE) between 1 and 1200 then staging.number(VOLTAGE) end as kv,
        geometry,
        raw_row
    from raw.eia_line
),

-- A line of one point, written twice: 2-D WKB of two vertices has 41 bytes, the vertices at 10 and 26.
judged as (
    select
        *,
        case
            when geometry is null then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when status in ('INACTIVE', 'PROPOSED', 'UNDER CONST', 'UNDER CONSTRUCTION') then 'not_in_service'
            when
                kv is null and volt_class is not null
                and volt_class not in (
                    'UNDER 100', 'SUB 100', '100-161', '220-287', '345', '500', '735 AND ABOVE', 'DC',
                    'NOT AVAILABLE', 'UNKNOWN'
                )
                then 'invalid'
            when octet_length(geometry) = 41 and substr(hex(geometry), 19, 32) = substr(hex(geometry), 51, 32)
                then 'invalid'
        end as fault
    from classed
),

-- A line out of service does not make the one that took its course a copy.
coded as (
    select
        *,
        case
            when fault is not null then fault
            when row_number() over (partition by fault, geometry, volt_class, kv order by raw_row) > 1 then 'duplicate'
        end as reject_code
    from judged
)

select
    line_id,
    coalesce(kv, case volt_class
        when '100-161' then 100 when '220-287' then 220 when '345' then 345 when '500' then 500
        when '735 AND ABOVE' then 735
    end::double) as kv_min,
    coalesce(kv, case volt_class
        when 'UNDER 100' then 100 when 'SUB 100' then 100 when '100-161' then 161 when '220-287' then 287
        when '345' then 345 when '500' then 500
    end::double) as kv_max,
    coalesce(volt_class = 'DC' or starts_with(line_type, 'DC'), false) as is_dc,
    null::double as rating_mva,
    null::double as flow_mw,
    null::varchar as from_substation_id,
    null::varchar as to_substation_id,
    'eia_line' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'eia_line' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'outside_area' then 'lies outside the 48 states'
        when 'not_in_service' then 'its status is ' || status
        when 'duplicate' then 'has the course and the voltage of an earlier row'
        when 'invalid'
            then case
                when geometry is null then 'has no course'
                when octet_length(geometry) = 41 then 'has no length'
                else 'VOLT_CLASS ' || volt_class || ' is not known'
            end
    end as reject_reason
from coded;
