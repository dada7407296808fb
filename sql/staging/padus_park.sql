-- Land that its owner keeps for nature (GAP status 1 and 2), of any manager; the catalogue entry asks for no other.
create table staging.padus_park as
with coded as (
    select
        *,
        case
            when geometry is null then 'invalid'
            when not staging.touches_area(geometry) then 'outside_area'
            when coalesce(staging.word(GAP_Sts), '') not in ('1', '2') then 'not_used'
        end as reject_code
    from raw.padus_area
)

select
    'padus-' || raw_row as park_id,
    staging.word(Unit_Nm) as park_name,
    'padus_area' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'padus_area' as raw_table,
    raw_row,
    reject_code,
    case reject_code
        when 'invalid' then 'has no area'
        when 'outside_area' then 'lies outside the 48 states'
        when 'not_used' then 'has GAP status ' || coalesce(staging.word(GAP_Sts), 'blank') || ', which allows many uses'
    end as reject_reason
from coded;
