-- The zones that a flood of 1 % a year reaches: A and V; X lies above it, D was not studied, and an
-- "area not included" says nothing.
create table staging.cambridge_flood as
select
    'cambridge-flood-' || raw_row as constraint_id,
    'floodplain' as constraint_kind,
    'zone ' || staging.word(fld_zone) || coalesce(' ' || lower(staging.word(zone_subty)), '') as constraint_name,
    'cambridge_flood' as source_id,
    st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry,
    'cambridge_flood' as raw_table,
    raw_row,
    case
        when geometry is null then 'invalid'
        when not staging.touches_area(geometry) then 'outside_area'
        when regexp_matches(staging.word(fld_zone), '^(A[EHOR]?|VE?|[AV][0-9]+)$') is not true then 'not_used'
    end as reject_code,
    case
        when geometry is null then 'has no geometry'
        when not staging.touches_area(geometry) then 'lies outside the 48 states'
        when regexp_matches(staging.word(fld_zone), '^(A[EHOR]?|VE?|[AV][0-9]+)$') is not true
            then 'zone ' || coalesce(staging.word(fld_zone), 'unknown') || ' is no zone of the 100-year flood'
    end as reject_reason
from raw.cambridge_flood;
