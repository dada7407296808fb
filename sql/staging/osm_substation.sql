-- Volts, one number a voltage level: 345000;115000. Under 1,000 it says nothing of transmission, or was written in kV.
create table staging.osm_substation as
with parsed as (
    select
        *,
        [
            try_cast(trim(part) as double) / 1000 for part in string_split(voltage, ';')
            if try_cast(trim(part) as double) >= 1000
        ] as kvs
    from raw.osm_substation
),

renamed as (
    select
        'osm-' || osm_type || '-' || osm_id as substation_id,
        coalesce(staging.word(name), staging.word(ref)) as substation_name,
        lon,
        lat,
        list_max(kvs) as kv_max,
        list_min([kv for kv in kvs if kv >= 69]) as kv_min,
        null::varchar as interconnect,
        null::varchar as zone_id,
        null::double as load_mw,
        'osm_power' as source_id,
        'osm_substation' as raw_table,
        raw_row,
        staging.word(substation) as kind
    from parsed
),

coded as (
    select
        *,
        case
            when kind = 'minor_distribution' or kv_max < 60 then 'not_used'
            else staging.point_reject_code(lon, lat)
        end as reject_code
    from renamed
)

select
    * exclude (kind),
    case
        when reject_code = 'not_used' and kv_max < 60
            then kv_max || ' kV is below the 60 kV from which a line is transmission'
        when reject_code = 'not_used' then 'is a transformer of the street grid (minor_distribution)'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
