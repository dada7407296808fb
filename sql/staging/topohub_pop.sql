create table staging.topohub_pop as
with renamed as (
    select
        node.network || '-' || node.node_id as pop_id,
        node.name as pop_name,
        coalesce(carrier.carrier_id, node.network) as carrier_id,
        coalesce(carrier.carrier_name, 'AS' || node.network) as carrier_name,
        coalesce(carrier.network_kind, 'carrier') as carrier_kind,
        carrier.vintage as as_of,
        node.lon,
        node.lat,
        'topohub_backbone' as source_id,
        'topohub_node' as raw_table,
        node.member as raw_member,
        node.raw_row
    from raw.topohub_node as node
    left join raw.ref_carrier as carrier on node.network = carrier.network
)

select
    *,
    staging.point_reject_code(lon, lat) as reject_code,
    staging.point_reject_reason(lon, lat) as reject_reason
from renamed;
