-- Lines that are said to be of copper or coaxial cable alone are no fiber; those that do not say are kept.
create table staging.osm_telecom_line as
with renamed as (
    select
        'osm-' || osm_type || '-' || osm_id as route_id,
        coalesce(staging.word(name), staging.word(ref)) as route_name,
        staging.word(operator) as operator_name,
        case
            when location = 'underground' then true
            when location in ('overground', 'overhead', 'outdoor') then false
        end as is_underground,
        "telecom:medium" as medium,
        geometry,
        st_astext(st_geomfromwkb(geometry)) like 'LINESTRING%' as is_line,
        raw_row
    from raw.osm_telecom_line
),

coded as (
    select
        *,
        case
            when not is_line then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when medium in ('copper', 'coaxial') then 'not_used'
        end as reject_code
    from renamed
)

select
    route_id,
    route_name,
    operator_name,
    is_underground,
    'osm_telecom' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'osm_telecom_line' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'invalid' then 'is tagged as a line but has another shape'
        when 'outside_area' then 'lies outside the 48 states'
        when 'not_used' then 'carries ' || medium || ', no fiber'
    end as reject_reason
from coded;
