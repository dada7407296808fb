-- severity: error
-- description: no layer that the study fills is empty
select layer, source_id from meta.layer_source where row_count = 0;
