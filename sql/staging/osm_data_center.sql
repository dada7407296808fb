-- A data center is often mapped twice, as a building and as a point with the same name. A point within 200 m of a
-- building of its name (between the point and one inside the building) is that building. Buildings of one campus
-- each count, and so do points without a name.
create table staging.osm_data_center as
with renamed as (
    select
        'osm-' || osm_type || '-' || osm_id as data_center_id,
        staging.word(name) as data_center_name,
        staging.word(operator) as operator_name,
        lon,
        lat,
        osm_type,
        raw_row
    from raw.osm_data_center
),

known as (
    select
        point.raw_row,
        arg_min(
            building.data_center_id, staging.miles(point.lon, point.lat, building.lon, building.lat)
        ) as building_id
    from renamed as point
    inner join renamed as building
        on
            lower(point.data_center_name) = lower(building.data_center_name)
            and staging.miles(point.lon, point.lat, building.lon, building.lat) * 1609.344 <= 200
    where point.osm_type = 'node' and building.osm_type <> 'node'
    group by point.raw_row
)

select
    renamed.* exclude (osm_type),
    'osm_telecom' as source_id,
    'osm_data_center' as raw_table,
    coalesce(staging.point_reject_code(lon, lat), case when building_id is not null then 'merged' end) as reject_code,
    coalesce(staging.point_reject_reason(lon, lat), 'is ' || building_id) as reject_reason
from renamed
left join known using (raw_row);
