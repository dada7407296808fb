create table staging.ne_park as
select
    'ne-park-' || raw_row as park_id,
    staging.word(unit_name) as park_name,
    'park_ne' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'park_ne' as raw_table,
    raw_row,
    case when not staging.touches_area(geometry) then 'outside_area' end as reject_code,
    case when not staging.touches_area(geometry) then 'lies outside the 48 states' end as reject_reason
from raw.park_ne;
