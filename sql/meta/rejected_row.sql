insert into meta.rejected_row by name
select
    raw_table.source_id,
    staged.raw_table,
    coalesce(raw_table.file || ' : ' || staged.raw_member, raw_table.file) as file,
    staged.raw_row,
    staged.reject_code,
    staged.reject_reason as reason
from query_table(['meta.staging_row', $staged], true) as staged
left join meta.raw_table using (raw_table)
where staged.reject_code is not null and staged.reject_code <> 'merged'
order by staged.raw_table, staged.raw_member, staged.raw_row;
