create table staging.ixp_building as
with renamed as (
    select
        'building-' || building_id as ixp_id,
        coalesce(
            array_to_string(address_lines, ', '), staging.word(metro_area), 'building ' || building_id
        ) as ixp_name,
        json_array_length(exchanges)::bigint as carrier_count,
        false as is_inferred,
        staging.point_lon(geometry) as lon,
        staging.point_lat(geometry) as lat,
        country,
        'ixp_building' as source_id,
        'ixp_building' as raw_table,
        raw_row,
        row_number() over (partition by building_id order by raw_row) as copy_no
    from (select *, from_json(address, '["varchar"]') as address_lines from raw.ixp_building)
)

select
    * exclude (country, copy_no),
    case
        when country is distinct from 'united-states' then 'outside_area'
        when copy_no > 1 then 'duplicate'
        when coalesce(carrier_count, 0) = 0 then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when country is distinct from 'united-states' then 'lies in ' || coalesce(country, 'no country')
        when copy_no > 1 then 'repeats an earlier building'
        when coalesce(carrier_count, 0) = 0 then 'no exchange stands in it'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
