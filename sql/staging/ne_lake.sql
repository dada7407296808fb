create table staging.ne_lake as
select
    'ne-lake-' || raw_row as lake_id,
    staging.word(name) as lake_name,
    'lake_ne' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'lake_ne' as raw_table,
    raw_row,
    case when not staging.touches_area(geometry) then 'outside_area' end as reject_code,
    case when not staging.touches_area(geometry) then 'lies outside the 48 states' end as reject_reason
from raw.lake_ne;
