create table staging.tamu_substation as
with source as (
    select * from raw.tamu_sub
),

voltage as (
    select
        bus2sub.sub_id,
        max(staging.number(bus.baseKV)) as kv_max,
        min(staging.number(bus.baseKV)) filter (where staging.number(bus.baseKV) >= 60) as kv_min,
        sum(staging.number(bus.Pd)) as load_mw,
        min(bus.zone_id) as zone_id
    from raw.tamu_bus2sub as bus2sub
    inner join raw.tamu_bus as bus using (bus_id)
    group by bus2sub.sub_id
),

renamed as (
    select
        'tamu-' || source.sub_id as substation_id,
        source.name as substation_name,
        staging.number(source.lon) as lon,
        staging.number(source.lat) as lat,
        voltage.kv_max,
        voltage.kv_min,
        source.interconnect,
        voltage.zone_id,
        voltage.load_mw,
        'tamu_grid' as source_id,
        'tamu_sub' as raw_table,
        source.raw_row
    from source
    left join voltage using (sub_id)
)

select
    *,
    case
        when kv_max is null then 'invalid' else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when kv_max is null then 'has no bus' else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
