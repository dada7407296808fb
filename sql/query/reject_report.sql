select source_id, raw_table, reject_code, min(reason) as example, count(*) as row_count
from meta.rejected_row
group by source_id, raw_table, reject_code
order by source_id, raw_table, reject_code;
