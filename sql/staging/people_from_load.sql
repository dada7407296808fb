-- Census totals of each state spread over its load buses in proportion to load (DESIGN.md: r = 0.995 against ACS
-- counties). The synthetic grid has no zone for the District of Columbia; its load stands in Maryland's.
-- Made from the synthetic grid itself, not from the layers, which a network case of the user may fill.
create table staging.people_from_load as
with total as (
    select
        case state when 'DC' then 'MD' else state end as state_id,
        sum(population_acs2023::bigint) as people
    from raw.ref_state
    group by 1
),

load as (
    select
        bus.bus_id,
        bus.state_id,
        bus.load_mw,
        bus.source_id,
        substation.lon,
        substation.lat,
        sum(bus.load_mw::decimal(18, 6)) over (partition by bus.state_id) as state_load_mw
    from staging.tamu_bus as bus
    inner join staging.tamu_substation as substation using (substation_id)
    where bus.reject_code is null and substation.reject_code is null and bus.load_mw > 0
)

select
    load.bus_id as people_id,
    total.people * load.load_mw / load.state_load_mw as people,
    total.people / load.state_load_mw as scale_factor,
    'state_total_by_load' as method,
    load.state_id,
    null::varchar as county_id,
    load.lon,
    load.lat,
    load.source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from load
inner join total using (state_id);
