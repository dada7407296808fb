create table staging.gshhs_lake as
select
    'gshhs-' || gshhs_id as lake_id,
    null::varchar as lake_name,
    'gshhs_lake' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'gshhs_lake' as raw_table,
    raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from raw.gshhs_lake;
