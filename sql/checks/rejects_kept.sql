-- severity: error
-- description: meta.rejected_row holds every rejected row
with kept as (
    select raw_table, count(*) as kept_count from meta.rejected_row group by raw_table
)

select source_load.raw_table, sum(source_load.rows_rejected) as rows_rejected, any_value(kept.kept_count) as kept_count
from meta.source_load
left join kept using (raw_table)
group by source_load.raw_table
having sum(source_load.rows_rejected) <> coalesce(any_value(kept.kept_count), 0);
