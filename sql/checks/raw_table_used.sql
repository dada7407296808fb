-- severity: error
-- description: every table that was read fills a layer or is joined into one; a network case may lack ties and points, a map data centers
select raw_table.source_id, raw_table.raw_table
from meta.raw_table
left join meta.source_load using (raw_table)
where
    source_load.raw_table is null and raw_table.source_id <> 'gridstead_reference'
    and not (raw_table.source_id in ('network_case', 'osm_telecom') and raw_table.rows_read = 0);
