-- An isolated bus carries nothing, and a bus of another carrier is no part of the grid.
create table staging.case_bus as
select
    bus_id,
    substation_id,
    zone_id,
    kv,
    load_mw,
    null::varchar as state_id,
    interconnect,
    'network_case' as source_id,
    'case_bus' as raw_table,
    raw_row,
    case
        when bus_id is null then 'invalid'
        when copy_no > 1 then 'duplicate'
        when kind = 'isolated' then 'not_in_service'
        when kind is not null then 'not_used'
        when load_mw is null then 'invalid'
    end as reject_code,
    case
        when bus_id is null then 'has no number'
        when copy_no > 1 then 'repeats bus ' || bus_id
        when kind = 'isolated' then 'bus ' || bus_id || ' is isolated'
        when kind is not null then 'bus ' || bus_id || ' carries ' || kind
        when load_mw is null then 'the load of bus ' || bus_id || ' is not a number'
    end as reject_reason
from staging.case_node;
