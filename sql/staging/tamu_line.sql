-- Circuits between two substations; branches inside one substation are jumpers, not lines.
-- Made from staging.tamu_branch, which accounts for every row of branch.csv.
create table staging.tamu_line as
with ends as (
    select
        branch.*,
        from_bus.substation_id as from_substation_id,
        to_bus.substation_id as to_substation_id,
        from_bus.kv,
        a.lon as from_lon,
        a.lat as from_lat,
        b.lon as to_lon,
        b.lat as to_lat
    from staging.tamu_branch as branch
    inner join staging.tamu_bus as from_bus on branch.from_bus_id = from_bus.bus_id
    inner join staging.tamu_bus as to_bus on branch.to_bus_id = to_bus.bus_id
    inner join staging.tamu_substation as a on from_bus.substation_id = a.substation_id
    inner join staging.tamu_substation as b on to_bus.substation_id = b.substation_id
    where
        branch.reject_code is null and branch.branch_kind = 'line'
        and from_bus.substation_id <> to_bus.substation_id
)

select
    'tamu-' || branch_id as line_id,
    kv as kv_min,
    kv as kv_max,
    false as is_dc,
    rating_mva,
    flow_mw,
    from_substation_id,
    to_substation_id,
    'tamu_grid' as source_id,
    format('LINESTRING ({} {}, {} {})', from_lon, from_lat, to_lon, to_lat)::geometry('OGC:CRS84') as geometry,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from ends;
