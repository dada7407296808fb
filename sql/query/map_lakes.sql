select geometry from core.lake order by lake_id;
