-- severity: error
-- description: every table that was read fills a layer or is joined into one
select raw_table.source_id, raw_table.raw_table
from meta.raw_table
left join meta.source_load using (raw_table)
where source_load.raw_table is null and raw_table.source_id <> 'gridstead_reference';
