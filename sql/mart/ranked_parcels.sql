create view mart.ranked_parcels as
select
    score.workload,
    score.rank,
    parcel.parcel_id,
    parcel.parcel_name,
    parcel.parcel_kind,
    score.score,
    score.score_low,
    score.score_high,
    confidence.p_top10,
    confidence.p_top100,
    confidence.rank_p05,
    confidence.rank_p50,
    confidence.rank_p95,
    confidence.swing_metric,
    cost.cost_rank,
    cost.low as cost_low,
    cost.mid as cost_mid,
    cost.high as cost_high,
    cost.capital_musd_mid,
    cost.time_to_power_years_mid,
    score.gate_status,
    score.gates_failed,
    score.gates_unknown,
    score.factors_unknown,
    parcel.county_id,
    county.county_name,
    parcel.state_id,
    parcel.zone_id,
    parcel.metro_id as region_metro_id,
    parcel.area_acres,
    metric.distance_basis,
    metric.known_share,
    metric.acres,
    metric.developable_share,
    metric.lake_share,
    metric.park_share,
    metric.excluded_share,
    metric.buildable_acres,
    metric.contiguous_acres,
    metric.compactness,
    metric.minimum_width_m,
    metric.inscribed_diameter_m,
    metric.slope_mean_pct,
    metric.slope_max_pct,
    metric.gentle_share,
    metric.substation_69kv_mi,
    metric.substation_69kv_id,
    metric.substation_69kv_kv,
    metric.substation_138kv_mi,
    metric.substation_138kv_id,
    metric.substation_138kv_kv,
    metric.substation_230kv_mi,
    metric.substation_230kv_id,
    metric.substation_230kv_kv,
    metric.substation_345kv_mi,
    metric.substation_345kv_id,
    metric.substation_345kv_kv,
    metric.line_230kv_mi,
    metric.line_230kv_id,
    metric.line_230kv_kv_min,
    metric.line_230kv_kv_max,
    metric.headroom_mw_low,
    metric.headroom_mw_mid,
    metric.headroom_mw_high,
    metric.headroom_substation_mi,
    metric.headroom_substation_id,
    metric.headroom_substation_kv,
    metric.deliverable_mw,
    metric.tie_line_kv,
    metric.tie_line_mi,
    metric.tie_line_musd,
    metric.second_feed_mw,
    metric.second_feed_mi,
    metric.second_feed_substation_id,
    metric.second_feed_musd,
    metric.headroom_n0_mw,
    metric.flexible_025_mw,
    metric.flexible_100_mw,
    metric.reserve_zone_mw,
    metric.reserve_interconnection_mw,
    metric.firm_generation_10mi_mw,
    metric.firm_generation_25mi_mw,
    metric.firm_generation_50mi_mw,
    metric.variable_generation_10mi_mw,
    metric.variable_generation_25mi_mw,
    metric.variable_generation_50mi_mw,
    metric.retiring_generation_25mi_mw,
    metric.retiring_generation_25mi_count,
    metric.metro_mi,
    metric.metro_id,
    metric.metro_name,
    metric.metro_people,
    metric.major_metro_mi,
    metric.major_metro_id,
    metric.major_metro_name,
    metric.major_metro_people,
    metric.is_within_100mi_of_major_metro,
    metric.population_5mi,
    metric.population_25mi,
    metric.population_50mi,
    metric.population_100mi,
    metric.pop_mi,
    metric.pop_id,
    metric.pop_carrier,
    metric.ixp_mi,
    metric.ixp_id,
    metric.ixp_name,
    metric.ixp_is_inferred,
    metric.carrier_25mi_count,
    metric.rtt_metro_ms_low,
    metric.rtt_metro_ms_mid,
    metric.rtt_metro_ms_high,
    metric.rtt_metro_id,
    metric.rtt_metro_name,
    metric.rtt_major_metro_ms_low,
    metric.rtt_major_metro_ms_mid,
    metric.rtt_major_metro_ms_high,
    metric.rtt_major_metro_id,
    metric.rtt_major_metro_name,
    metric.rtt_major_metro_above_ceiling,
    metric.rtt_ixp_ms_low,
    metric.rtt_ixp_ms_mid,
    metric.rtt_ixp_ms_high,
    metric.rtt_ixp_id,
    metric.rtt_ixp_name,
    metric.people_5ms_low,
    metric.people_5ms_mid,
    metric.people_5ms_high,
    metric.people_10ms_low,
    metric.people_10ms_mid,
    metric.people_10ms_high,
    metric.people_20ms_low,
    metric.people_20ms_mid,
    metric.people_20ms_high,
    metric.rtt_unknown_reason,
    metric.lit_node_mi,
    metric.lit_node_id,
    metric.lit_node_name,
    metric.lit_node_musd,
    metric.diverse_node_mi,
    metric.diverse_node_id,
    metric.diverse_node_musd,
    metric.disjoint_path_count,
    metric.is_single_homed,
    metric.path_basis,
    metric.industrial_usd_per_mwh,
    metric.heating_degree_days_65f,
    metric.cooling_degree_days_65f,
    metric.generation_queue_mw,
    metric.hazard_usd_per_person,
    metric.land_value_usd_per_acre,
    metric.fiber_coverage_share,
    metric.data_center_mi,
    metric.data_center_25mi_count,
    parcel.lon,
    parcel.lat,
    parcel.geometry
from mart.parcel_score as score
inner join core.parcel using (parcel_no)
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
left join core.county on parcel.county_id = county.county_id
left join mart.parcel_cost as cost on score.workload = cost.workload and score.parcel_no = cost.parcel_no
left join mart.parcel_confidence as confidence
    on
        score.workload = confidence.workload
        and score.parcel_no = confidence.parcel_no
        and confidence.basis = 'score'
order by score.workload, score.rank nulls last, parcel.parcel_id;
comment on view mart.ranked_parcels is 'Parcels ranked for every workload, with every metric behind the rank';
comment on column mart.ranked_parcels.workload is 'Workload';
comment on column mart.ranked_parcels.rank is 'Rank from 1; parcels that pass all gates come first; NULL when a gate fails';
comment on column mart.ranked_parcels.parcel_id is 'H3 index of the cell, or the id of the assessor''s parcel';
comment on column mart.ranked_parcels.parcel_name is 'Where it is, in words';
comment on column mart.ranked_parcels.parcel_kind is 'h3_cell or assessor';
comment on column mart.ranked_parcels.score is 'Score that ranks it, 0 to 100';
comment on column mart.ranked_parcels.score_low is 'Score with unknown factors at their worst';
comment on column mart.ranked_parcels.score_high is 'Score with unknown factors at their best';
comment on column mart.ranked_parcels.p_top10 is
'Share of draws of uncertain inputs and weights in which it is among the first 10; NULL when it ranks in none';
comment on column mart.ranked_parcels.p_top100 is
'Share of draws in which it is among the first 100';
comment on column mart.ranked_parcels.rank_p05 is
'Rank that 5 % of the draws do not exceed; NULL when it fails a gate in more than 95 %';
comment on column mart.ranked_parcels.rank_p50 is
'Rank that half of the draws do not exceed; NULL when it fails a gate in more than half';
comment on column mart.ranked_parcels.rank_p95 is
'Rank that 95 % of the draws do not exceed; NULL when it fails a gate in more than 5 %';
comment on column mart.ranked_parcels.swing_metric is
'Metric that most changes its place; mart.parcel_confidence says by what and how much';
comment on column mart.ranked_parcels.cost_rank is
'Rank by cost_mid among parcels that fail no gate and whose cost is known';
comment on column mart.ranked_parcels.cost_low is
'Low end of cost_mid';
comment on column mart.ranked_parcels.cost_mid is
'Cost: delivered dollars a MWh of IT load for training, dollars a million queries for inference; terms by mart.delivered_cost';
comment on column mart.ranked_parcels.cost_high is
'High end of cost_mid: every term at its high end at once';
comment on column mart.ranked_parcels.capital_musd_mid is
'Tie line, substation, fiber, land and site works, millions of dollars; neither shell nor servers';
comment on column mart.ranked_parcels.time_to_power_years_mid is
'Years from the application to the first megawatt: mostly convention';
comment on column mart.ranked_parcels.gate_status is 'pass, unknown or fail over all gates';
comment on column mart.ranked_parcels.gates_failed is 'Metrics of the gates that fail';
comment on column mart.ranked_parcels.gates_unknown is 'Metrics of the gates that cannot be judged';
comment on column mart.ranked_parcels.factors_unknown is 'Metrics of the weighted factors that are unknown';
comment on column mart.ranked_parcels.county_id is 'County';
comment on column mart.ranked_parcels.county_name is 'Name of the county';
comment on column mart.ranked_parcels.state_id is 'State, USPS code';
comment on column mart.ranked_parcels.zone_id is 'Grid zone';
comment on column mart.ranked_parcels.region_metro_id is 'Metro region it belongs to; NULL outside of all';
comment on column mart.ranked_parcels.area_acres is 'Acres of its geometry';
comment on column mart.ranked_parcels.distance_basis is 'edge (assessors parcels) or centroid (generated cells)';
comment on column mart.ranked_parcels.known_share is 'Share of the metrics of the study that are known for this parcel';
comment on column mart.ranked_parcels.acres is 'Acres that can be built on: the assessor''s or measured area of a parcel; for a generated cell the developable share of its land, NULL where no layer says';
comment on column mart.ranked_parcels.developable_share is 'Share of the parcel''s land that is neither water, park, steep nor built up';
comment on column mart.ranked_parcels.lake_share is 'Share of the whole cell that lies in a lake (cut out of the parcel)';
comment on column mart.ranked_parcels.park_share is 'Share of the parcel that lies in a national park';
comment on column mart.ranked_parcels.excluded_share is 'Share of the parcel under the exclusions of the study, overlaps counted once; NULL where the study has none';
comment on column mart.ranked_parcels.buildable_acres is 'Acres of the parcel''s geometry that no exclusion of the study covers; NULL where the study has none';
comment on column mart.ranked_parcels.contiguous_acres is 'Acres of the largest connected piece of what no exclusion covers; NULL where the study has none';
comment on column mart.ranked_parcels.compactness is 'Area over that of the circle with the same perimeter, holes'' edges counted (Polsby-Popper): 1 is a circle, 0.79 a square, near 0 a ribbon';
comment on column mart.ranked_parcels.minimum_width_m is 'Metres between the two closest parallel lines that the parcel, all its parts, fits between';
comment on column mart.ranked_parcels.inscribed_diameter_m is 'Metres across the largest circle that fits into one part of the parcel, clear of its holes';
comment on column mart.ranked_parcels.slope_mean_pct is 'Mean slope in percent, each cell of the study''s slope raster weighted by how much of it the parcel covers; NULL without a raster, or where under half of the parcel lies on known cells';
comment on column mart.ranked_parcels.slope_max_pct is 'Steepest cell of the slope raster of which the parcel covers any part, percent; NULL where slope_mean_pct is';
comment on column mart.ranked_parcels.gentle_share is 'Share of the parcel''s known ground at or under 5 % slope, which is usual for data centers (cost breaks at 2 % and 8 %); NULL where slope_mean_pct is';
comment on column mart.ranked_parcels.substation_69kv_mi is 'Miles to the nearest substation whose highest voltage is at least 69 kV';
comment on column mart.ranked_parcels.substation_69kv_id is 'Id of that substation';
comment on column mart.ranked_parcels.substation_69kv_kv is 'Its highest voltage, kV';
comment on column mart.ranked_parcels.substation_138kv_mi is 'Miles to the nearest substation whose highest voltage is at least 138 kV';
comment on column mart.ranked_parcels.substation_138kv_id is 'Id of that substation';
comment on column mart.ranked_parcels.substation_138kv_kv is 'Its highest voltage, kV';
comment on column mart.ranked_parcels.substation_230kv_mi is 'Miles to the nearest substation whose highest voltage is at least 230 kV';
comment on column mart.ranked_parcels.substation_230kv_id is 'Id of that substation';
comment on column mart.ranked_parcels.substation_230kv_kv is 'Its highest voltage, kV';
comment on column mart.ranked_parcels.substation_345kv_mi is 'Miles to the nearest substation whose highest voltage is at least 345 kV';
comment on column mart.ranked_parcels.substation_345kv_id is 'Id of that substation';
comment on column mart.ranked_parcels.substation_345kv_kv is 'Its highest voltage, kV';
comment on column mart.ranked_parcels.line_230kv_mi is 'Miles to the nearest AC line whose voltage class is certainly at least 230 kV (220-287 counts as 230)';
comment on column mart.ranked_parcels.line_230kv_id is 'Id of that line';
comment on column mart.ranked_parcels.line_230kv_kv_min is 'Lower end of its voltage class, kV';
comment on column mart.ranked_parcels.line_230kv_kv_max is 'Upper end of its voltage class, kV; NULL when open';
comment on column mart.ranked_parcels.headroom_mw_low is 'Low end of the headroom of the feeding substation';
comment on column mart.ranked_parcels.headroom_mw_mid is 'Headroom of the feeding substation within 20 miles, after the worst single outage, by the study''s method: mart.substation says which';
comment on column mart.ranked_parcels.headroom_mw_high is 'High end of the headroom of the feeding substation';
comment on column mart.ranked_parcels.headroom_substation_mi is 'Miles to the substation that headroom_mw belongs to';
comment on column mart.ranked_parcels.headroom_substation_id is 'Feeding substation: of those within 20 miles the one whose tie line costs least a megawatt, the nearest where none has any';
comment on column mart.ranked_parcels.headroom_substation_kv is 'Its highest voltage, kV';
comment on column mart.ranked_parcels.deliverable_mw is 'Megawatts that the tie line is priced for: mid headroom of the feeding substation, up to 1,000';
comment on column mart.ranked_parcels.tie_line_kv is 'Kilovolts at which the parcel would connect to the feeding substation';
comment on column mart.ranked_parcels.tie_line_mi is 'Route miles of the tie line: 1.3 times the straight miles to the feeding substation';
comment on column mart.ranked_parcels.tie_line_musd is 'Cost of the tie line and of the substation at its end, millions of dollars of the price guides'' years: lines 2024 (500 kV 2019), substations 2018 (345 kV 2024); at least one circuit';
comment on column mart.ranked_parcels.second_feed_mw is 'Megawatts that the best other substation within 20 miles would add to deliverable_mw, none of them counted twice; NULL where there is no other';
comment on column mart.ranked_parcels.second_feed_mi is 'Miles to the substation that second_feed_mw belongs to';
comment on column mart.ranked_parcels.second_feed_substation_id is 'Id of that substation';
comment on column mart.ranked_parcels.second_feed_musd is 'Cost of the second tie line with its substation, like tie_line_musd';
comment on column mart.ranked_parcels.headroom_n0_mw is 'Mid headroom of the feeding substation with every element in service; NULL where the study''s method knows none';
comment on column mart.ranked_parcels.flexible_025_mw is 'Mid headroom of the feeding substation for a load that gives up 0.25 % of its energy in a year; NULL where the study''s method knows none';
comment on column mart.ranked_parcels.flexible_100_mw is 'Mid headroom of the feeding substation for a load that gives up 1 % of its energy in a year; NULL where the study''s method knows none';
comment on column mart.ranked_parcels.reserve_zone_mw is 'Generation headroom left in the grid zone of the feeding substation; NULL where the study''s method knows none';
comment on column mart.ranked_parcels.reserve_interconnection_mw is 'Generation headroom left in the interconnection of the feeding substation; NULL where the study''s method knows none';
comment on column mart.ranked_parcels.firm_generation_10mi_mw is 'Capacity of firm plants (gas, coal, nuclear, hydro, oil, geothermal, biomass) within 10 miles';
comment on column mart.ranked_parcels.firm_generation_25mi_mw is 'Capacity of firm plants within 25 miles';
comment on column mart.ranked_parcels.firm_generation_50mi_mw is 'Capacity of firm plants within 50 miles';
comment on column mart.ranked_parcels.variable_generation_10mi_mw is 'Capacity of wind and solar plants within 10 miles';
comment on column mart.ranked_parcels.variable_generation_25mi_mw is 'Capacity of wind and solar plants within 25 miles';
comment on column mart.ranked_parcels.variable_generation_50mi_mw is 'Capacity of wind and solar plants within 50 miles';
comment on column mart.ranked_parcels.retiring_generation_25mi_mw is 'Capacity, where it is known, of the steam plants within 25 miles that retire by 2035 or retired since 2018; NULL where the study knows of none';
comment on column mart.ranked_parcels.retiring_generation_25mi_count is 'Steam plants within 25 miles that retire by 2035 or retired since 2018; NULL where the study knows of none';
comment on column mart.ranked_parcels.metro_mi is 'Miles from the centroid to the people-weighted centre of the nearest metro of 250 000 people or more';
comment on column mart.ranked_parcels.metro_id is 'Nearest metro of 250,000 people or more';
comment on column mart.ranked_parcels.metro_name is 'Its name';
comment on column mart.ranked_parcels.metro_people is 'Its people';
comment on column mart.ranked_parcels.major_metro_mi is 'Miles from the centroid to the people-weighted centre of the nearest major metro, by default of a million people or more';
comment on column mart.ranked_parcels.major_metro_id is 'Nearest major metro, by default of a million people or more';
comment on column mart.ranked_parcels.major_metro_name is 'Its name';
comment on column mart.ranked_parcels.major_metro_people is 'Its people';
comment on column mart.ranked_parcels.is_within_100mi_of_major_metro is 'Whether the centroid lies within 100 geodesic miles of the centre of a major metro, by default of a million people or more';
comment on column mart.ranked_parcels.population_5mi is 'People within 5 geodesic miles of the centroid: where they crowd, land is scarce, dear and hard to permit; NULL where a raster of people does not cover them';
comment on column mart.ranked_parcels.population_25mi is 'People within 25 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column mart.ranked_parcels.population_50mi is 'People within 50 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column mart.ranked_parcels.population_100mi is 'People within 100 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column mart.ranked_parcels.pop_mi is 'Miles to the nearest point of presence of any carrier';
comment on column mart.ranked_parcels.pop_id is 'Id of that PoP';
comment on column mart.ranked_parcels.pop_carrier is 'Its carrier';
comment on column mart.ranked_parcels.ixp_mi is 'Miles to the nearest Internet exchange building, or, where a study infers them, to a PoP city of three carriers or more';
comment on column mart.ranked_parcels.ixp_id is 'Id of that exchange';
comment on column mart.ranked_parcels.ixp_name is 'Its name';
comment on column mart.ranked_parcels.ixp_is_inferred is 'Whether it is inferred from carriers present';
comment on column mart.ranked_parcels.carrier_25mi_count is 'Distinct carriers with a point of presence within 25 miles of the centroid';
comment on column mart.ranked_parcels.rtt_metro_ms_low is 'Low end of rtt_metro_ms_mid: routes as straight as fiber is laid';
comment on column mart.ranked_parcels.rtt_metro_ms_mid is 'Round trip over fiber from the centroid to the metro of 250,000 people or more that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column mart.ranked_parcels.rtt_metro_ms_high is 'High end of rtt_metro_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column mart.ranked_parcels.rtt_metro_id is 'Id of that metro';
comment on column mart.ranked_parcels.rtt_metro_name is 'Its name';
comment on column mart.ranked_parcels.rtt_major_metro_ms_low is 'Low end of rtt_major_metro_ms_mid: routes as straight as fiber is laid';
comment on column mart.ranked_parcels.rtt_major_metro_ms_mid is 'Round trip over fiber from the centroid to the major metro, by default of a million people or more, that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column mart.ranked_parcels.rtt_major_metro_ms_high is 'High end of rtt_major_metro_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column mart.ranked_parcels.rtt_major_metro_id is 'Id of that major metro';
comment on column mart.ranked_parcels.rtt_major_metro_name is 'Its name';
comment on column mart.ranked_parcels.rtt_major_metro_above_ceiling is 'Which ends of rtt_major_metro_ms are above the rule of thumb for the great circle to that metro (2.1 times light in fiber, and access): none, high, mid (mid and high) or low (all of it)';
comment on column mart.ranked_parcels.rtt_ixp_ms_low is 'Low end of rtt_ixp_ms_mid: routes as straight as fiber is laid';
comment on column mart.ranked_parcels.rtt_ixp_ms_mid is 'Round trip over fiber from the centroid to the exchange that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column mart.ranked_parcels.rtt_ixp_ms_high is 'High end of rtt_ixp_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column mart.ranked_parcels.rtt_ixp_id is 'Id of that exchange';
comment on column mart.ranked_parcels.rtt_ixp_name is 'Its name';
comment on column mart.ranked_parcels.people_5ms_low is 'People whose high round trip over fiber from the centroid is within 5 ms: those who surely are';
comment on column mart.ranked_parcels.people_5ms_mid is 'People whose mid round trip over fiber from the centroid is within 5 ms; NULL where light could reach land that the raster of people leaves out';
comment on column mart.ranked_parcels.people_5ms_high is 'People whose low round trip over fiber from the centroid is within 5 ms: as many as there may be';
comment on column mart.ranked_parcels.people_10ms_low is 'People whose high round trip over fiber from the centroid is within 10 ms: those who surely are';
comment on column mart.ranked_parcels.people_10ms_mid is 'People whose mid round trip over fiber from the centroid is within 10 ms; NULL where light could reach land that the raster of people leaves out';
comment on column mart.ranked_parcels.people_10ms_high is 'People whose low round trip over fiber from the centroid is within 10 ms: as many as there may be';
comment on column mart.ranked_parcels.people_20ms_low is 'People whose high round trip over fiber from the centroid is within 20 ms: those who surely are';
comment on column mart.ranked_parcels.people_20ms_mid is 'People whose mid round trip over fiber from the centroid is within 20 ms; NULL where light could reach land that the raster of people leaves out';
comment on column mart.ranked_parcels.people_20ms_high is 'People whose low round trip over fiber from the centroid is within 20 ms: as many as there may be';
comment on column mart.ranked_parcels.rtt_unknown_reason is 'Why round trips are unknown: no fiber layer, no connected node within 100 miles, no path to a metro, a major metro or an exchange; NULL where all are known';
comment on column mart.ranked_parcels.lit_node_mi is 'Miles from the centroid to the nearest fiber node with a path to an exchange on known links, or where none is in reach, with one on backhaul';
comment on column mart.ranked_parcels.lit_node_id is 'Id of that fiber node';
comment on column mart.ranked_parcels.lit_node_name is 'Its name';
comment on column mart.ranked_parcels.lit_node_musd is 'Cost of fiber that is built to the nearest lit node, millions of dollars: 1.3 times the straight miles, buried';
comment on column mart.ranked_parcels.diverse_node_mi is 'Miles from the centroid to the nearest fiber node within 100 miles whose path to another exchange metro shares no link or trench with that of the nearest lit node';
comment on column mart.ranked_parcels.diverse_node_id is 'Id of that diverse fiber node';
comment on column mart.ranked_parcels.diverse_node_musd is 'Cost of fiber that is built to the nearest diverse node, millions of dollars, like lit_node_musd';
comment on column mart.ranked_parcels.disjoint_path_count is 'Paths to different exchange metros that share no link or trench, up to 2: 2 where a diverse node is known, 1 where a lit node alone is, 0 where that has backhaul alone, of which nobody knows the way';
comment on column mart.ranked_parcels.is_single_homed is 'Whether disjoint_path_count is below 2; NULL where no node is in reach';
comment on column mart.ranked_parcels.path_basis is 'What disjoint_path_count rests on, the worst of its links: logical (neighbours in routing), mapped (straight links of a map) or right_of_way (laid along roads or rails)';
comment on column mart.ranked_parcels.industrial_usd_per_mwh is 'Average industrial retail price of electricity, of the county where known, else of the state';
comment on column mart.ranked_parcels.heating_degree_days_65f is 'Heating degree days a year (base 65 F)';
comment on column mart.ranked_parcels.cooling_degree_days_65f is 'Cooling degree days a year (base 65 F)';
comment on column mart.ranked_parcels.generation_queue_mw is 'Generation asking to connect, MW: of the county where a study has counties, else of the whole state';
comment on column mart.ranked_parcels.hazard_usd_per_person is 'Sum of the county''s FEMA risk values over the hazards known, dollars a year, divided by its people';
comment on column mart.ranked_parcels.land_value_usd_per_acre is 'Fair market value of land in dollars an acre of the nearest value cell';
comment on column mart.ranked_parcels.fiber_coverage_share is 'Share of the county''s addresses that fiber passes (FCC)';
comment on column mart.ranked_parcels.data_center_mi is 'Miles to the nearest data center that stands already; informative, NULL where the study knows none';
comment on column mart.ranked_parcels.data_center_25mi_count is 'Data centers that stand already within 25 miles of the centroid; informative, NULL where the study knows none';
comment on column mart.ranked_parcels.lon is 'Longitude';
comment on column mart.ranked_parcels.lat is 'Latitude';
comment on column mart.ranked_parcels.geometry is 'Polygon';
