select carrier_name, link_kind, source_id, geometry from mart.fiber_link order by link_id;
