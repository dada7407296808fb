-- A raster of people takes the layer's place; the build holds its people by cell of 30 arc seconds.
with source as (
    select coalesce(bool_or(method = 'raster_cell'), false) as is_raster
    from mart.people_state
)

select
    people,
    lon,
    lat,
    false as is_cell
from core.people
where people > 0 and not (select is_raster from source)
union all
select
    people_milli / 1000.0 as people,
    (column_no + 0.5) / 120 - 180 as lon,
    90 - (row_no + 0.5) / 120 as lat,
    true as is_cell
from mart.people_cell
where (select is_raster from source);
