-- The survey lists uplands between the wetlands, and says so; a row that says nothing counts as wetland.
create table staging.cambridge_wetland as
select
    'cambridge-wetland-' || raw_row as constraint_id,
    'wetland' as constraint_kind,
    staging.word(namelocati) as constraint_name,
    'cambridge_wetland' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'cambridge_wetland' as raw_table,
    raw_row,
    case
        when geometry is null then 'invalid'
        when not staging.touches_area(geometry) then 'outside_area'
        when staging.word(wtsystem) = 'Upland' then 'not_used'
    end as reject_code,
    case
        when geometry is null then 'has no geometry'
        when not staging.touches_area(geometry) then 'lies outside the 48 states'
        when staging.word(wtsystem) = 'Upland' then 'is upland by its own description'
    end as reject_reason
from raw.cambridge_wetland;
