-- HIFLD gives no names; where California's file knows the same place, its name is taken.
create table staging.hifld_substation as
with californian as (
    select
        staging.word(Name) as name,
        staging.number(Max_Voltag) as kv,
        staging.point_lon(geometry) as lon,
        staging.point_lat(geometry) as lat
    from raw.ca_substation
    where staging.word(Name) <> 'Unknown' and staging.number(Max_Voltag) >= 230
),

named as (
    select
        station.objectid,
        arg_min(
            californian.name,
            staging.miles(californian.lon, californian.lat, station.lon_station, station.lat_station)
        ) as name
    from raw.hifld_substation as station
    inner join californian
        on
            californian.kv = station.voltage
            and staging.miles(californian.lon, californian.lat, station.lon_station, station.lat_station) <= 0.5
    group by station.objectid
),

renamed as (
    select
        'hifld-' || station.objectid as substation_id,
        named.name as substation_name,
        station.lon_station::double as lon,
        station.lat_station::double as lat,
        staging.number(station.voltage) as kv_max,
        null::double as kv_min,
        null::varchar as interconnect,
        null::varchar as zone_id,
        null::double as load_mw,
        'hifld_substation' as source_id,
        'hifld_substation' as raw_table,
        station.raw_row
    from raw.hifld_substation as station
    left join named using (objectid)
)

select
    *,
    case when kv_max is null then 'invalid' else staging.point_reject_code(lon, lat) end as reject_code,
    case
        when kv_max is null then 'states no voltage' else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
