insert into meta.source_load by name
select
    theme,
    source_id,
    raw_table,
    $layer as layer,
    rows_read,
    rows_read as rows_loaded,
    rows_read as rows_merged,
    0 as rows_rejected
from meta.raw_table
where raw_table = $raw_table;
