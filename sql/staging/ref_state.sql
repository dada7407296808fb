create table staging.ref_state as
select
    state as state_id,
    state_name,
    state_fips,
    population_acs2023::bigint as population_people,
    staging.number(industrial_usd_per_mwh_2020) as industrial_usd_per_mwh,
    staging.number(heating_degree_days_65f) as heating_degree_days_65f,
    staging.number(cooling_degree_days_65f) as cooling_degree_days_65f,
    staging.number(generation_queue_mw_to_2029) as generation_queue_mw,
    'gridstead_reference' as source_id,
    'ref_state' as raw_table,
    raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from raw.ref_state;
