-- STATE is not read: it is written out in some rows, abbreviated or blank in others; coordinates tell the place.
create table staging.peeringdb_facility as
with renamed as (
    select
        'peeringdb-' || raw_row as facility_id,
        staging.word(NODE_NAME) as facility_name,
        'colocation' as facility_kind,
        staging.word(ORGANIZATION) as operator_name,
        staging.number(LONGITUDE) as lon,
        staging.number(LATITUDE) as lat,
        staging.word(COUNTRY) as country,
        'peeringdb_facility' as source_id,
        'peeringdb_facility' as raw_table,
        raw_row,
        row_number() over (partition by ORGANIZATION, NODE_NAME, LATITUDE, LONGITUDE order by raw_row) as copy_no
    from raw.peeringdb_facility
)

select
    * exclude (country, copy_no),
    case
        when staging.point_reject_code(lon, lat) = 'invalid' then 'invalid'
        when country is distinct from 'US' then 'outside_area'
        when copy_no > 1 then 'duplicate'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when staging.point_reject_code(lon, lat) = 'invalid' then staging.point_reject_reason(lon, lat)
        when country is distinct from 'US' then 'lies in ' || coalesce(country, 'no country')
        when copy_no > 1 then 'repeats an earlier row'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
