select
    substation_name as name,
    kv_max,
    headroom_mw_low,
    headroom_mw_mid,
    headroom_mw_high,
    source_id,
    geometry
from mart.substation
order by substation_id;
