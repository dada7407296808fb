-- Railroads of Canada and Mexico within the box stay: fiber between two states may follow them.
create table staging.ne_railroad as
with coded as (
    select
        raw_row,
        geometry,
        case
            when geometry is null then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when row_number() over (partition by geometry order by raw_row) > 1 then 'duplicate'
        end as reject_code
    from raw.railroad
)

select
    'railroad-' || raw_row as right_of_way_id,
    null::varchar as right_of_way_name,
    'railroad' as right_of_way_kind,
    'railroad' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'railroad' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'outside_area' then 'lies outside the 48 states'
        when 'duplicate' then 'has the course of an earlier row'
        when 'invalid' then 'has no course'
    end as reject_reason
from coded;
