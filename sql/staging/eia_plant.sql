-- Plants that can run today, with their capacity: EIA's atlas. Grid voltage and balancing authority by EIA-860 on the
-- plant code. A plant of EIA-860 that is not in the atlas has gone since, or is not built yet.
create table staging.eia_plant as
with eia860 as (
    select
        staging.number("Plant Code")::bigint as plant_code,
        staging.word("Plant Code") as code_cell,
        -- 550 to 734 kV is no voltage of the US grid: those rows give volts of the inverter.
        list_max(list_filter(
            [
                staging.number("Grid Voltage (kV)"),
                staging.number("Grid Voltage 2 (kV)"),
                staging.number("Grid Voltage 3 (kV)")
            ],
            lambda kv: kv > 0 and kv not between 550 and 734
        )) as grid_kv,
        staging.word("Balancing Authority Code") as balancing_authority,
        raw_row,
        row_number() over (partition by staging.number("Plant Code")::bigint order by raw_row) as copy_no
    from raw.eia860_plant
),

atlas as (
    select
        staging.number(Plant_Code)::bigint as plant_code,
        staging.word(Plant_Name) as plant_name,
        staging.word(PrimSource) as fuel,
        case lower(staging.word(PrimSource))
            when 'natural gas' then 'gas' when 'petroleum' then 'oil' when 'hydroelectric' then 'hydro'
            when 'batteries' then 'storage' when 'pumped storage' then 'storage'
            else lower(staging.word(PrimSource))
        end as reference_fuel,
        -- 0 is a capacity that nobody has stated.
        coalesce(nullif(staging.number(Install_MW), 0), nullif(staging.number(Total_MW), 0)) as capacity_mw,
        staging.point_lon(geometry) as lon,
        staging.point_lat(geometry) as lat,
        raw_row,
        row_number() over (partition by staging.number(Plant_Code)::bigint order by raw_row) as copy_no
    from raw.eia_plant
),

coded as (
    select
        'USA' || lpad(atlas.plant_code::varchar, 7, '0') as plant_id,
        atlas.plant_name,
        atlas.fuel,
        fuel.fuel_kind,
        atlas.capacity_mw,
        eia860.grid_kv,
        eia860.balancing_authority,
        atlas.lon,
        atlas.lat,
        atlas.raw_row,
        case
            when atlas.plant_code is null then 'invalid'
            when atlas.copy_no > 1 then 'duplicate'
            else staging.point_reject_code(atlas.lon, atlas.lat)
        end as reject_code
    from atlas
    left join eia860 on atlas.plant_code = eia860.plant_code and eia860.copy_no = 1
    left join raw.ref_fuel as fuel on atlas.reference_fuel = fuel.fuel
)

select
    plant_id,
    plant_name,
    null::varchar as bus_id,
    null::varchar as substation_id,
    fuel,
    fuel_kind,
    capacity_mw,
    null::double as dispatch_mw,
    null::boolean as is_in_service,
    grid_kv,
    balancing_authority,
    lon,
    lat,
    'eia_plant' as source_id,
    'eia_plant' as raw_table,
    raw_row,
    reject_code,
    case
        when plant_id is null then 'has no plant code'
        when reject_code = 'duplicate' then 'repeats the plant ' || plant_id
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded
union all by name
select
    'eia860_plant' as source_id,
    'eia860_plant' as raw_table,
    eia860.raw_row,
    case
        when eia860.plant_code is null then 'not_data'
        when eia860.copy_no > 1 then 'duplicate'
        when atlas.plant_code is not null then 'merged'
        else 'not_in_service'
    end as reject_code,
    case
        when eia860.plant_code is null then 'has no plant code'
        when eia860.copy_no > 1 then 'repeats the plant ' || eia860.plant_code
        when atlas.plant_code is null
            then 'plant ' || eia860.code_cell || ' is not among those that can run: gone since, or not built yet'
    end as reject_reason
from eia860
left join atlas on eia860.plant_code = atlas.plant_code and atlas.copy_no = 1;
