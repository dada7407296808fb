-- severity: error
-- description: no layer that the study fills is empty, but for direct-current ties, which a network need not have, and what few have mapped
select layer, source_id from meta.layer_source where row_count = 0 and layer not in ('dc_tie', 'fiber_route', 'data_center');
