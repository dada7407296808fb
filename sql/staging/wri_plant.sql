-- Capacity by WRI (2019), place, grid voltage and balancing authority by EIA-860 (2023) on the plant code.
-- EIA's place wins: it is four years younger, and WRI has a latitude of 425.25 and one swapped pair.
create table staging.wri_plant as
with eia as (
    select
        staging.number("Plant Code")::bigint as plant_code,
        staging.number(Longitude) as lon,
        staging.number(Latitude) as lat,
        -- 550 to 734 kV is no voltage of the US grid: those rows give volts of the inverter.
        list_max(list_filter(
            [
                staging.number("Grid Voltage (kV)"),
                staging.number("Grid Voltage 2 (kV)"),
                staging.number("Grid Voltage 3 (kV)")
            ],
            lambda kv: kv > 0 and kv not between 550 and 734
        )) as grid_kv,
        staging.word("Balancing Authority Code") as balancing_authority
    from raw.eia860_plant
),

renamed as (
    select
        wri.gppd_idnr as plant_id,
        staging.word(wri.name) as plant_name,
        null::varchar as bus_id,
        null::varchar as substation_id,
        staging.word(wri.primary_fuel) as fuel,
        fuel.fuel_kind,
        -- WRI writes 0 where no generator was running in 2019: unknown today, not nothing.
        nullif(staging.number(wri.capacity_mw), 0) as capacity_mw,
        null::double as dispatch_mw,
        null::boolean as is_in_service,
        eia.grid_kv,
        eia.balancing_authority,
        coalesce(eia.lon, staging.number(wri.longitude)) as lon,
        coalesce(eia.lat, staging.number(wri.latitude)) as lat,
        'wri_plant' as source_id,
        'wri_plant' as raw_table,
        wri.raw_row,
        eia.plant_code is null as is_gone,
        row_number() over (partition by wri.gppd_idnr order by wri.raw_row) as copy_no
    from raw.wri_plant as wri
    left join eia
        on starts_with(wri.gppd_idnr, 'USA') and try_cast(substr(wri.gppd_idnr, 4) as bigint) = eia.plant_code
    left join raw.ref_fuel as fuel on lower(staging.word(wri.primary_fuel)) = fuel.fuel
)

select
    * exclude (is_gone, copy_no),
    case
        when staging.point_reject_code(lon, lat) is not null then staging.point_reject_code(lon, lat)
        when copy_no > 1 then 'duplicate'
        when is_gone then 'not_in_service'
    end as reject_code,
    case
        when staging.point_reject_code(lon, lat) is not null then staging.point_reject_reason(lon, lat)
        when copy_no > 1 then 'repeats the plant ' || plant_id
        when is_gone then 'is no longer among the plants of EIA-860 2023: retired, or never built'
    end as reject_reason
from renamed;
