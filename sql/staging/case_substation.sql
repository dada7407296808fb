-- One row for the first bus of each substation; the others are merged into it. A bus without a point stays in the
-- network, and is told here.
create table staging.case_substation as
with node as (
    select *, row_number() over (partition by substation_id order by raw_row) as bus_no
    from staging.case_node
),

station as (
    select
        substation_id,
        max(kv) as kv_max,
        min(kv) filter (where kv >= 60) as kv_min,
        sum(load_mw) as load_mw,
        min_by(zone_id, raw_row) as zone_id,
        min_by(interconnect, raw_row) as interconnect,
        min_by(bus_name, raw_row) as bus_name
    from staging.case_node
    where reject_code is null
    group by substation_id
)

select
    node.substation_id,
    coalesce(node.named, station.bus_name) as substation_name,
    node.lon,
    node.lat,
    station.kv_max,
    station.kv_min,
    station.interconnect,
    station.zone_id,
    station.load_mw,
    'network_case' as source_id,
    'case_place' as raw_table,
    node.raw_row,
    case when node.reject_code is null and node.bus_no > 1 then 'merged' else node.reject_code end as reject_code,
    case
        when node.reject_code is null and node.bus_no > 1 then 'stands in ' || node.substation_id
        else node.reject_reason
    end as reject_reason
from node
left join station using (substation_id);
