-- Every point of the 14 km mesh names its eGRID subregion, also where the 4 km grid tells the land better.
create table staging.egrid_zone_point as
with renamed as (
    select
        staging.word(eGRID) as zone_id,
        staging.word(state) as state_id,
        Longitude::double as lon,
        Latitude::double as lat,
        'developable_14km' as source_id,
        'developable_14km' as raw_table,
        raw_row
    from raw.developable_14km
)

select
    *,
    case when zone_id is null then 'invalid' else staging.point_reject_code(lon, lat) end as reject_code,
    case
        when zone_id is null then 'names no eGRID subregion' else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
