create table staging.ref_metro as
select
    cbsa_code as metro_id,
    metro_name,
    population_acs2023::bigint as metro_people,
    staging.number(lon) as lon,
    staging.number(lat) as lat,
    population_acs2023::bigint >= 1000000 as is_major,
    'gridstead_reference' as source_id,
    'ref_metro' as raw_table,
    raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from raw.ref_metro;
