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
    case
        when is_nowhere then 'invalid' else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when is_nowhere
            then 'stands at 37.75, -97.82, the middle of the country, where addresses of unknown place are put'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from (select *, abs(lon + 97.82) < 0.006 and abs(lat - 37.75) < 0.006 as is_nowhere from renamed);
