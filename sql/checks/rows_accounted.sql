-- severity: error
-- description: every raw row was loaded or rejected
select source_id, raw_table, layer, rows_read, rows_loaded, rows_rejected
from meta.source_load
where rows_read <> rows_loaded + rows_rejected;
