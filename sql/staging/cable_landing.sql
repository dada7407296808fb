-- The file holds the map at two dates, one after the other; the later row of a landing stays.
create table staging.cable_landing as
with renamed as (
    select
        'landing-' || raw_row as facility_id,
        concat_ws(', ', staging.word(city_name), staging.word(state_province)) as facility_name,
        'cable_landing' as facility_kind,
        null::varchar as operator_name,
        staging.number(longitude) as lon,
        staging.number(latitude) as lat,
        staging.word(country) as country,
        'cable_landing' as source_id,
        'cable_landing' as raw_table,
        raw_row,
        row_number() over (
            partition by staging.word(city_name), staging.word(state_province), staging.word(country)
            order by try_cast(asof_date as date) desc nulls last, raw_row
        ) as copy_no
    from raw.cable_landing
)

select
    * exclude (country, copy_no),
    case
        when staging.point_reject_code(lon, lat) = 'invalid' then 'invalid'
        when country is distinct from 'United States' then 'outside_area'
        when staging.point_reject_code(lon, lat) is not null then 'outside_area'
        when copy_no > 1 then 'duplicate'
    end as reject_code,
    case
        when staging.point_reject_code(lon, lat) = 'invalid' then staging.point_reject_reason(lon, lat)
        when country is distinct from 'United States' then 'lies in ' || coalesce(country, 'no country')
        when staging.point_reject_code(lon, lat) is not null then staging.point_reject_reason(lon, lat)
        when copy_no > 1 then 'repeats a landing of the same or a later date'
    end as reject_reason
from renamed;
