-- A generator whose fuel the case does not say, or that is none of the names below, is dispatchable: firm.
-- 9,999 MW and more is how cases write that there is no limit: unknown, not as much.
create table staging.case_plant as
with renamed as (
    select
        'case-' || gen.plant_id as plant_id,
        coalesce(staging.word(gen.name), 'Unit ' || gen.plant_id) as plant_name,
        gen.bus_id,
        bus.substation_id,
        staging.word(gen.fuel) as fuel,
        coalesce(
            fuel.fuel_kind,
            case
                when regexp_matches(lower(gen.fuel), 'wind|solar|photovolt|^(pv|wt|w[1-4s])$') then 'variable'
                when regexp_matches(lower(gen.fuel), 'batter|storage|^(ess|phs|ba|es|ps)$') then 'storage'
                else 'firm'
            end
        ) as fuel_kind,
        case when staging.number(gen.capacity_mw) < 9999 then greatest(staging.number(gen.capacity_mw), 0) end as capacity_mw,
        staging.number(gen.dispatch_mw) as dispatch_mw,
        staging.number(gen.status) > 0 and bus.kind is null as is_in_service,
        bus.kv as grid_kv,
        null::varchar as balancing_authority,
        case when bus.substation_id is not null then bus.lon end as lon,
        case when bus.substation_id is not null then bus.lat end as lat,
        'network_case' as source_id,
        'case_gen' as raw_table,
        gen.raw_row,
        bus.bus_id is not null as has_bus
    from raw.case_gen as gen
    left join staging.case_node as bus on gen.bus_id = bus.bus_id and bus.copy_no = 1
    left join raw.ref_fuel as fuel on lower(staging.word(gen.fuel)) = fuel.fuel
)

select
    * exclude (has_bus),
    case when not has_bus then 'invalid' end as reject_code,
    case
        when not has_bus then 'feeds into bus ' || coalesce(bus_id, 'without number') || ', which the case has not'
    end as reject_reason
from renamed;
