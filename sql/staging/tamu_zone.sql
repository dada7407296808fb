create table staging.tamu_zone as
select
    zone_id,
    zone_name,
    interconnect,
    'tamu_grid' as source_id,
    'tamu_zone' as raw_table,
    raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from raw.tamu_zone;
