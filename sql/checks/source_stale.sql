-- severity: warn
-- description: no source fell back to its last good copy
select source_id, fetched_at from meta.source where is_stale;
