select
    tight.order_no,
    tight.element_text,
    tight.limit_text,
    tight.branch_id,
    tight.outage_branch_id,
    tight.alone_mw,
    tight.margin_mw,
    tight.mw_per_mw,
    case when branch.branch_kind = 'line' then least(from_bus.kv, to_bus.kv) else greatest(from_bus.kv, to_bus.kv) end as kv,
    branch.branch_kind in ('transformer', 'winding')
    or one.substation_id = other.substation_id
    or (branch.branch_kind is null and from_bus.kv <> to_bus.kv) as is_in_substation,
    one.lon as from_lon,
    one.lat as from_lat,
    other.lon as to_lon,
    other.lat as to_lat
from mart.substation_constraint as tight
left join core.branch using (branch_id)
left join core.bus as from_bus on branch.from_bus_id = from_bus.bus_id
left join core.bus as to_bus on branch.to_bus_id = to_bus.bus_id
left join mart.substation as one on from_bus.substation_id = one.substation_id
left join mart.substation as other on to_bus.substation_id = other.substation_id
where tight.substation_id = $substation_id
order by tight.order_no;
