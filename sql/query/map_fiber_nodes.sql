select node_name as name, carrier_count, geometry from mart.fiber_node order by node_id;
