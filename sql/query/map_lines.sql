select
    kv_max,
    is_dc,
    source_id,
    geometry
from core.line
order by line_id;
