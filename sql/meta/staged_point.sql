-- Nothing but a station in Antarctica has coordinates that lie in the 48 states when swapped.
insert into meta.staged_point by name
with place as (
    select
        raw_table,
        raw_row,
        lon,
        lat,
        lon between -126.5 and -65.5 and lat between 23.5 and 50.5 as is_inside,
        lat between -126.5 and -65.5 and lon between 23.5 and 50.5 as is_swapped,
        abs(lon) < 1e-3 and abs(lat) < 1e-3 as is_null_island
    from query_table(['meta.staging_row', 'meta.staged_place', $staged], true)
    where lon is not null and lat is not null and raw_table is not null
)

select
    raw_table,
    $layer as layer,
    count(*) as point_count,
    count(*) filter (where is_inside) as inside_count,
    count(*) filter (where is_swapped) as swapped_count,
    min(raw_row) filter (where is_swapped) as swapped_row,
    count(*) filter (where is_null_island) as null_island_count,
    min(raw_row) filter (where is_null_island) as null_island_row
from place
group by raw_table
order by raw_table;
