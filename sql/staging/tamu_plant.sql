create table staging.tamu_plant as
with renamed as (
    select
        'tamu-' || plant.plant_id as plant_id,
        plant.type || ' unit at ' || sub.name as plant_name,
        plant.bus_id,
        'tamu-' || sub.sub_id as substation_id,
        plant.type as fuel,
        fuel.fuel_kind,
        nullif(staging.number(plant.Pmax), 0) as capacity_mw,
        staging.number(plant.Pg) as dispatch_mw,
        plant.status = '1' as is_in_service,
        staging.number(bus.baseKV) as grid_kv,
        null::varchar as balancing_authority,
        staging.number(sub.lon) as lon,
        staging.number(sub.lat) as lat,
        'tamu_grid' as source_id,
        'tamu_plant' as raw_table,
        plant.raw_row
    from raw.tamu_plant as plant
    left join raw.tamu_bus as bus using (bus_id)
    left join raw.tamu_bus2sub as bus2sub using (bus_id)
    left join raw.tamu_sub as sub using (sub_id)
    left join raw.ref_fuel as fuel on lower(plant.type) = fuel.fuel
)

select
    *,
    staging.point_reject_code(lon, lat) as reject_code,
    staging.point_reject_reason(lon, lat) as reject_reason
from renamed;
