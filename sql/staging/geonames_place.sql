create table staging.geonames_place as
with renamed as (
    select
        geonameid::varchar as place_id,
        name as place_name,
        admin1code as state_id,
        population::bigint as place_people,
        longitude::double as lon,
        latitude::double as lat,
        'geonames_place' as source_id,
        'geonames_place' as raw_table,
        raw_row
    from raw.geonames_place
)

select
    *,
    staging.point_reject_code(lon, lat) as reject_code,
    staging.point_reject_reason(lon, lat) as reject_reason
from renamed;
