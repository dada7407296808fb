insert into meta.source_load by name
with staged as (
    select
        staged.raw_table,
        coalesce(staged.reject_code, refused.reject_code) as reject_code
    from query_table(['meta.staging_row', $staged], true) as staged
    left join meta.refused_row as refused
        on
            refused.layer = $layer
            and staged.raw_table = refused.raw_table
            and staged.raw_member is not distinct from refused.raw_member
            and staged.raw_row = refused.raw_row
)

select
    raw_table.theme,
    raw_table.source_id,
    raw_table.raw_table,
    $layer as layer,
    raw_table.rows_read,
    count(*) filter (where coalesce(staged.reject_code, 'merged') = 'merged') as rows_loaded,
    count(*) filter (where staged.reject_code = 'merged') as rows_merged,
    count(*) filter (where staged.reject_code <> 'merged') as rows_rejected
from meta.raw_table
inner join staged using (raw_table)
group by all;
