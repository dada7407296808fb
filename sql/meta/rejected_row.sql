insert into meta.rejected_row by name
select
    raw_table.source_id,
    staged.raw_table,
    coalesce(raw_table.file || ' : ' || staged.raw_member, raw_table.file) as file,
    staged.raw_row,
    coalesce(staged.reject_code, refused.reject_code) as reject_code,
    coalesce(staged.reject_reason, refused.reject_reason) as reason
from query_table(['meta.staging_row', $staged], true) as staged
left join meta.raw_table using (raw_table)
left join meta.refused_row as refused
    on
        refused.layer = $layer
        and staged.raw_table = refused.raw_table
        and staged.raw_member is not distinct from refused.raw_member
        and staged.raw_row = refused.raw_row
where coalesce(staged.reject_code, refused.reject_code, 'merged') <> 'merged'
order by staged.raw_table, staged.raw_member, staged.raw_row;
