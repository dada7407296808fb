select source_id, raw_table, layer, rows_read, rows_loaded, rows_merged, rows_rejected
from meta.source_load
order by source_id, raw_table, layer;
