create table staging.peeringdb_api_facility as
with renamed as (
    select
        'peeringdb-' || id as facility_id,
        staging.word(name) as facility_name,
        'colocation' as facility_kind,
        staging.word(org_name) as operator_name,
        staging.number(longitude) as lon,
        staging.number(latitude) as lat,
        staging.word(country) as country,
        staging.word(status) as status,
        'peeringdb_api_facility' as source_id,
        'peeringdb_fac' as raw_table,
        raw_row,
        row_number() over (partition by id order by raw_row) as copy_no
    from raw.peeringdb_fac
),

coded as (
    select
        *,
        case
            when country is distinct from 'US' then 'outside_area'
            when status is distinct from 'ok' then 'not_in_service'
            when copy_no > 1 then 'duplicate'
            else staging.point_reject_code(lon, lat)
        end as reject_code
    from renamed
)

select
    * exclude (country, status, copy_no),
    case
        when country is distinct from 'US' then 'lies in ' || coalesce(country, 'no country')
        when reject_code = 'not_in_service' then 'its status is ' || coalesce(status, 'blank')
        when reject_code = 'duplicate' then 'repeats an earlier row'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
