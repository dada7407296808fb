-- Made from the mesh, whose rows are accounted for in zone_point.
create table staging.egrid_zone as
select
    point.zone_id,
    coalesce(name.subregion_name, point.zone_id) as zone_name,
    name.interconnect,
    point.source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from (select distinct zone_id, source_id from staging.egrid_zone_point where reject_code is null) as point
left join raw.ref_egrid_subregion as name on point.zone_id = name.subregion;
