create table staging.ri_water as
select
    'ri-water-' || comid as constraint_id,
    'water' as constraint_kind,
    null::varchar as constraint_name,
    'ri_water' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'ri_water' as raw_table,
    raw_row,
    case
        when geometry is null then 'invalid'
        when not staging.touches_area(geometry) then 'outside_area'
    end as reject_code,
    case
        when geometry is null then 'has no geometry'
        when not staging.touches_area(geometry) then 'lies outside the 48 states'
    end as reject_reason
from raw.ri_water;
