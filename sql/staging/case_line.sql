-- Circuits in service between two substations, straight; made from staging.case_branch, which accounts for every row.
create table staging.case_line as
with station as (
    select substation_id, lon, lat
    from staging.case_substation
    where reject_code is null
)

select
    'case-' || branch.branch_id as line_id,
    from_bus.kv as kv_min,
    from_bus.kv as kv_max,
    false as is_dc,
    branch.rating_mva,
    branch.flow_mw,
    from_bus.substation_id as from_substation_id,
    to_bus.substation_id as to_substation_id,
    'network_case' as source_id,
    format('LINESTRING ({} {}, {} {})', a.lon, a.lat, b.lon, b.lat)::geometry('OGC:CRS84') as geometry,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from staging.case_branch as branch
inner join staging.case_bus as from_bus on branch.from_bus_id = from_bus.bus_id
inner join staging.case_bus as to_bus on branch.to_bus_id = to_bus.bus_id
inner join station as a on from_bus.substation_id = a.substation_id
inner join station as b on to_bus.substation_id = b.substation_id
where
    branch.reject_code is null and branch.is_in_service and branch.branch_kind = 'line'
    and from_bus.reject_code is null and to_bus.reject_code is null
    and from_bus.substation_id <> to_bus.substation_id;
