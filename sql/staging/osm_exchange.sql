create table staging.osm_exchange as
select
    'osm-' || osm_type || '-' || osm_id as facility_id,
    coalesce(staging.word(name), staging.word(ref)) as facility_name,
    'exchange' as facility_kind,
    staging.word(operator) as operator_name,
    lon,
    lat,
    'osm_telecom' as source_id,
    'osm_exchange' as raw_table,
    raw_row,
    staging.point_reject_code(lon, lat) as reject_code,
    staging.point_reject_reason(lon, lat) as reject_reason
from raw.osm_exchange;
