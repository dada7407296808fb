-- Made from substations and buses, whose rows are accounted for in their own layers.
create table staging.tamu_zone_point as
select
    bus.zone_id,
    bus.state_id,
    substation.lon,
    substation.lat,
    'tamu_grid' as source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from staging.tamu_substation as substation
inner join staging.tamu_bus as bus using (substation_id)
where substation.reject_code is null and bus.reject_code is null
group by all;
