-- A line for each carriageway and county or so; the name 'I- 95' is 'I- -95' or 'I- I- 95' in some rows.
create table staging.us_interstate as
with placed as (
    select
        raw_row,
        geometry,
        'I-' || nullif(regexp_replace(staging.word(name), '^(I[- ]+)+', ''), '') as right_of_way_name,
        list_unique(
            string_split(
                trim(regexp_replace(st_astext(st_geomfromwkb(geometry)), '[^-0-9.e ,]', '', 'g')), ', '
            )
        ) as place_count,
        row_number() over (partition by geometry, name order by raw_row) as copy_no
    from raw.interstate
),

coded as (
    select
        *,
        case
            when geometry is null then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when place_count < 2 then 'invalid'
            when copy_no > 1 then 'duplicate'
        end as reject_code
    from placed
)

select
    'interstate-' || raw_row as right_of_way_id,
    right_of_way_name,
    'interstate' as right_of_way_kind,
    'interstate' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'interstate' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'outside_area' then 'lies outside the 48 states'
        when 'duplicate' then 'has the course and the name of an earlier row'
        when 'invalid' then case when geometry is null then 'has no course' else 'has no length' end
    end as reject_reason
from coded;
