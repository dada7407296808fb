select
    metro_id,
    node_id,
    rtt_ms_low,
    rtt_ms_mid,
    rtt_ms_high
from mart.fiber_metro_rtt
order by metro_id, node_id;
