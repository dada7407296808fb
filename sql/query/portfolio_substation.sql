select
    substation_id,
    substation_name,
    method,
    interconnect,
    zone_id,
    connect_bus_id,
    headroom_mw_mid,
    reserve_zone_mw,
    reserve_interconnection_mw
from mart.substation
where substation_id in (select unnest($substation_ids::varchar[]))
order by substation_id;
