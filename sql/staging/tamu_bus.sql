create table staging.tamu_bus as
with renamed as (
    select
        bus.bus_id,
        'tamu-' || bus2sub.sub_id as substation_id,
        bus.zone_id,
        staging.number(bus.baseKV) as kv,
        staging.number(bus.Pd) as load_mw,
        state.state as state_id,
        bus.interconnect,
        'tamu_grid' as source_id,
        'tamu_bus' as raw_table,
        bus.raw_row,
        zone.zone_name
    from raw.tamu_bus as bus
    left join raw.tamu_bus2sub as bus2sub using (bus_id)
    left join raw.tamu_zone as zone using (zone_id)
    left join raw.ref_state as state on zone.state = state.state_name
)

select
    * exclude (zone_name),
    case when substation_id is null or zone_name is null or load_mw is null then 'invalid' end as reject_code,
    case
        when substation_id is null then 'bus ' || bus_id || ' has no substation in bus2sub.csv'
        when zone_name is null then 'zone ' || zone_id || ' is not in zone.csv'
        when load_mw is null then 'Pd is not a number'
    end as reject_reason
from renamed;
