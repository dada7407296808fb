select
    kv_max,
    is_dc,
    geometry
from core.line
order by line_id;
