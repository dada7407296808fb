-- Rows whose plant WRI knows are merged into it; the others are younger than WRI, and their capacity is unknown here.
create table staging.eia860_plant as
with renamed as (
    select
        'USA' || lpad(staging.word("Plant Code"), 7, '0') as plant_id,
        staging.word("Plant Name") as plant_name,
        null::varchar as bus_id,
        null::varchar as substation_id,
        null::varchar as fuel,
        null::varchar as fuel_kind,
        null::double as capacity_mw,
        null::double as dispatch_mw,
        null::boolean as is_in_service,
        list_max(list_filter(
            [
                staging.number("Grid Voltage (kV)"),
                staging.number("Grid Voltage 2 (kV)"),
                staging.number("Grid Voltage 3 (kV)")
            ],
            lambda kv: kv > 0 and kv not between 550 and 734
        )) as grid_kv,
        staging.word("Balancing Authority Code") as balancing_authority,
        staging.number(Longitude) as lon,
        staging.number(Latitude) as lat,
        'eia860_plant' as source_id,
        'eia860_plant' as raw_table,
        raw_row,
        row_number() over (partition by "Plant Code" order by raw_row) as copy_no
    from raw.eia860_plant
),

coded as (
    select
        renamed.*,
        case
            when staging.number(substr(renamed.plant_id, 4)) is null then 'not_data'
            when renamed.copy_no > 1 then 'duplicate'
            when wri.plant_id is not null and wri.reject_code is null then 'merged'
            else staging.point_reject_code(renamed.lon, renamed.lat)
        end as reject_code
    from renamed
    left join staging.wri_plant as wri
        on renamed.plant_id = wri.plant_id and coalesce(wri.reject_code, '') <> 'duplicate'
)

select
    * exclude (copy_no, reject_code),
    reject_code,
    case reject_code
        when 'not_data' then 'has no plant code'
        when 'duplicate' then 'repeats the plant ' || plant_id
        when 'merged' then 'is ' || plant_id
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
