select
    source.*,
    loads.rows_read,
    loads.rows_loaded,
    loads.rows_rejected
from meta.source
left join (
    select
        source_id,
        sum(rows_read)::bigint as rows_read,
        sum(rows_loaded)::bigint as rows_loaded,
        sum(rows_rejected)::bigint as rows_rejected
    from meta.source_load
    group by source_id
) as loads using (source_id)
order by source.theme, source.source_id;
