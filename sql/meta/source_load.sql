insert into meta.source_load by name
select
    raw_table.theme,
    raw_table.source_id,
    raw_table.raw_table,
    $layer as layer,
    raw_table.rows_read,
    count(*) filter (where staged.reject_code is null) as rows_loaded,
    count(*) filter (where staged.reject_code = 'merged') as rows_merged,
    count(*) filter (where staged.reject_code <> 'merged') as rows_rejected
from meta.raw_table
inner join query_table(['meta.staging_row', $staged], true) as staged using (raw_table)
group by all;
