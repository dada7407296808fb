-- Who tells of the people that are counted, how, and whether exports may carry them.
with source as (
    select
        string_agg(distinct source.title, '; ' order by source.title) as titles,
        bool_and(source.is_exportable) as is_exportable
    from meta.layer_source
    inner join meta.source on layer_source.source_id = source.source_id
    where
        layer_source.layer = case
            when exists (from mart.people_state where method = 'raster_cell') then 'people_raster' else 'people'
        end
),

total as (
    select
        string_agg(distinct method, ', ' order by method) filter (where people > 0) as methods
    from mart.people_state
)

select
    coalesce(source.titles, 'unknown') as titles,
    coalesce(source.is_exportable, true) as is_exportable,
    coalesce(total.methods, 'unknown') as methods
from source
cross join total;
