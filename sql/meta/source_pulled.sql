update meta.source
set origin = $origin, fetched_at = $at, is_stale = $stale
where source_id = $id;
