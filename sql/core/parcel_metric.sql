create table core.parcel_metric (
    parcel_id varchar primary key,
    distance_basis varchar,
    known_share double,
    acres double,
    area_acres double,
    developable_share double,
    lake_share double,
    park_share double,
    excluded_share double,
    buildable_acres double,
    contiguous_acres double,
    compactness double,
    minimum_width_m double,
    inscribed_diameter_m double,
    slope_mean_pct double,
    slope_max_pct double,
    gentle_share double,
    substation_69kv_mi double,
    substation_69kv_id varchar,
    substation_69kv_kv double,
    substation_138kv_mi double,
    substation_138kv_id varchar,
    substation_138kv_kv double,
    substation_230kv_mi double,
    substation_230kv_id varchar,
    substation_230kv_kv double,
    substation_345kv_mi double,
    substation_345kv_id varchar,
    substation_345kv_kv double,
    line_230kv_mi double,
    line_230kv_id varchar,
    line_230kv_kv_min double,
    line_230kv_kv_max double,
    headroom_mw_low double,
    headroom_mw_mid double,
    headroom_mw_high double,
    headroom_substation_mi double,
    headroom_substation_id varchar,
    headroom_substation_kv double,
    deliverable_mw double,
    tie_line_kv double,
    tie_line_mi double,
    tie_line_musd double,
    second_feed_mw double,
    second_feed_mi double,
    second_feed_substation_id varchar,
    second_feed_musd double,
    headroom_n0_mw double,
    flexible_025_mw double,
    flexible_100_mw double,
    reserve_zone_mw double,
    reserve_interconnection_mw double,
    firm_generation_10mi_mw double,
    firm_generation_25mi_mw double,
    firm_generation_50mi_mw double,
    variable_generation_10mi_mw double,
    variable_generation_25mi_mw double,
    variable_generation_50mi_mw double,
    retiring_generation_25mi_mw double,
    retiring_generation_25mi_count bigint,
    metro_mi double,
    metro_id varchar,
    metro_name varchar,
    metro_people bigint,
    major_metro_mi double,
    major_metro_id varchar,
    major_metro_name varchar,
    major_metro_people bigint,
    is_within_100mi_of_major_metro boolean,
    population_5mi bigint,
    population_25mi bigint,
    population_50mi bigint,
    population_100mi bigint,
    pop_mi double,
    pop_id varchar,
    pop_carrier varchar,
    ixp_mi double,
    ixp_id varchar,
    ixp_name varchar,
    ixp_is_inferred boolean,
    carrier_25mi_count bigint,
    rtt_metro_ms_low double,
    rtt_metro_ms_mid double,
    rtt_metro_ms_high double,
    rtt_metro_id varchar,
    rtt_metro_name varchar,
    rtt_major_metro_ms_low double,
    rtt_major_metro_ms_mid double,
    rtt_major_metro_ms_high double,
    rtt_major_metro_id varchar,
    rtt_major_metro_name varchar,
    rtt_major_metro_above_ceiling varchar,
    rtt_ixp_ms_low double,
    rtt_ixp_ms_mid double,
    rtt_ixp_ms_high double,
    rtt_ixp_id varchar,
    rtt_ixp_name varchar,
    people_5ms_low bigint,
    people_5ms_mid bigint,
    people_5ms_high bigint,
    people_10ms_low bigint,
    people_10ms_mid bigint,
    people_10ms_high bigint,
    people_20ms_low bigint,
    people_20ms_mid bigint,
    people_20ms_high bigint,
    rtt_unknown_reason varchar,
    lit_node_mi double,
    lit_node_id varchar,
    lit_node_name varchar,
    lit_node_musd double,
    diverse_node_mi double,
    diverse_node_id varchar,
    diverse_node_musd double,
    disjoint_path_count bigint,
    is_single_homed boolean,
    path_basis varchar,
    industrial_usd_per_mwh double,
    heating_degree_days_65f double,
    cooling_degree_days_65f double,
    generation_queue_mw double,
    hazard_usd_per_person double,
    land_value_usd_per_acre double,
    fiber_coverage_share double,
    data_center_mi double,
    data_center_25mi_count bigint
);
comment on table core.parcel_metric is 'The measured metrics of every parcel; NULL is unknown, never zero';
comment on column core.parcel_metric.parcel_id is 'Parcel';
comment on column core.parcel_metric.distance_basis is 'edge (assessors parcels) or centroid (generated cells)';
comment on column core.parcel_metric.known_share is 'Share of the metrics of the study that are known for this parcel';
comment on column core.parcel_metric.acres is 'Acres that can be built on: the assessor''s or measured area of a parcel; for a generated cell the developable share of its land, NULL where no layer says';
comment on column core.parcel_metric.area_acres is 'Acres of the parcel''s geometry (generated cells: clipped to land)';
comment on column core.parcel_metric.developable_share is 'Share of the parcel''s land that is neither water, park, steep nor built up';
comment on column core.parcel_metric.lake_share is 'Share of the whole cell that lies in a lake (cut out of the parcel)';
comment on column core.parcel_metric.park_share is 'Share of the parcel that lies in a national park';
comment on column core.parcel_metric.excluded_share is 'Share of the parcel under the exclusions of the study, overlaps counted once; NULL where the study has none';
comment on column core.parcel_metric.buildable_acres is 'Acres of the parcel''s geometry that no exclusion of the study covers; NULL where the study has none';
comment on column core.parcel_metric.contiguous_acres is 'Acres of the largest connected piece of what no exclusion covers; NULL where the study has none';
comment on column core.parcel_metric.compactness is 'Area over that of the circle with the same perimeter, holes'' edges counted (Polsby-Popper): 1 is a circle, 0.79 a square, near 0 a ribbon';
comment on column core.parcel_metric.minimum_width_m is 'Metres between the two closest parallel lines that the parcel, all its parts, fits between';
comment on column core.parcel_metric.inscribed_diameter_m is 'Metres across the largest circle that fits into one part of the parcel, clear of its holes';
comment on column core.parcel_metric.slope_mean_pct is 'Mean slope in percent, each cell of the study''s slope raster weighted by how much of it the parcel covers; NULL without a raster, or where under half of the parcel lies on known cells';
comment on column core.parcel_metric.slope_max_pct is 'Steepest cell of the slope raster of which the parcel covers any part, percent; NULL where slope_mean_pct is';
comment on column core.parcel_metric.gentle_share is 'Share of the parcel''s known ground at or under 5 % slope, which is usual for data centers (cost breaks at 2 % and 8 %); NULL where slope_mean_pct is';
comment on column core.parcel_metric.substation_69kv_mi is 'Miles to the nearest substation whose highest voltage is at least 69 kV';
comment on column core.parcel_metric.substation_69kv_id is 'Id of that substation';
comment on column core.parcel_metric.substation_69kv_kv is 'Its highest voltage, kV';
comment on column core.parcel_metric.substation_138kv_mi is 'Miles to the nearest substation whose highest voltage is at least 138 kV';
comment on column core.parcel_metric.substation_138kv_id is 'Id of that substation';
comment on column core.parcel_metric.substation_138kv_kv is 'Its highest voltage, kV';
comment on column core.parcel_metric.substation_230kv_mi is 'Miles to the nearest substation whose highest voltage is at least 230 kV';
comment on column core.parcel_metric.substation_230kv_id is 'Id of that substation';
comment on column core.parcel_metric.substation_230kv_kv is 'Its highest voltage, kV';
comment on column core.parcel_metric.substation_345kv_mi is 'Miles to the nearest substation whose highest voltage is at least 345 kV';
comment on column core.parcel_metric.substation_345kv_id is 'Id of that substation';
comment on column core.parcel_metric.substation_345kv_kv is 'Its highest voltage, kV';
comment on column core.parcel_metric.line_230kv_mi is 'Miles to the nearest AC line whose voltage class is certainly at least 230 kV (220-287 counts as 230)';
comment on column core.parcel_metric.line_230kv_id is 'Id of that line';
comment on column core.parcel_metric.line_230kv_kv_min is 'Lower end of its voltage class, kV';
comment on column core.parcel_metric.line_230kv_kv_max is 'Upper end of its voltage class, kV; NULL when open';
comment on column core.parcel_metric.headroom_mw_low is 'Low end of the headroom of the feeding substation';
comment on column core.parcel_metric.headroom_mw_mid is 'Headroom of the feeding substation within 20 miles, after the worst single outage, by the study''s method: mart.substation says which';
comment on column core.parcel_metric.headroom_mw_high is 'High end of the headroom of the feeding substation';
comment on column core.parcel_metric.headroom_substation_mi is 'Miles to the substation that headroom_mw belongs to';
comment on column core.parcel_metric.headroom_substation_id is 'Feeding substation: of those within 20 miles the one whose tie line costs least a megawatt, the nearest where none has any';
comment on column core.parcel_metric.headroom_substation_kv is 'Its highest voltage, kV';
comment on column core.parcel_metric.deliverable_mw is 'Megawatts that the tie line is priced for: mid headroom of the feeding substation, up to 1,000';
comment on column core.parcel_metric.tie_line_kv is 'Kilovolts at which the parcel would connect to the feeding substation';
comment on column core.parcel_metric.tie_line_mi is 'Route miles of the tie line: 1.3 times the straight miles to the feeding substation';
comment on column core.parcel_metric.tie_line_musd is 'Cost of the tie line and of the substation at its end, millions of dollars of the price guides'' years: lines 2024 (500 kV 2019), substations 2018 (345 kV 2024); at least one circuit';
comment on column core.parcel_metric.second_feed_mw is 'Megawatts that the best other substation within 20 miles would add to deliverable_mw, none of them counted twice; NULL where there is no other';
comment on column core.parcel_metric.second_feed_mi is 'Miles to the substation that second_feed_mw belongs to';
comment on column core.parcel_metric.second_feed_substation_id is 'Id of that substation';
comment on column core.parcel_metric.second_feed_musd is 'Cost of the second tie line with its substation, like tie_line_musd';
comment on column core.parcel_metric.headroom_n0_mw is 'Mid headroom of the feeding substation with every element in service; NULL where the study''s method knows none';
comment on column core.parcel_metric.flexible_025_mw is 'Mid headroom of the feeding substation for a load that gives up 0.25 % of its energy in a year; NULL where the study''s method knows none';
comment on column core.parcel_metric.flexible_100_mw is 'Mid headroom of the feeding substation for a load that gives up 1 % of its energy in a year; NULL where the study''s method knows none';
comment on column core.parcel_metric.reserve_zone_mw is 'Generation headroom left in the grid zone of the feeding substation; NULL where the study''s method knows none';
comment on column core.parcel_metric.reserve_interconnection_mw is 'Generation headroom left in the interconnection of the feeding substation; NULL where the study''s method knows none';
comment on column core.parcel_metric.firm_generation_10mi_mw is 'Capacity of firm plants (gas, coal, nuclear, hydro, oil, geothermal, biomass) within 10 miles';
comment on column core.parcel_metric.firm_generation_25mi_mw is 'Capacity of firm plants within 25 miles';
comment on column core.parcel_metric.firm_generation_50mi_mw is 'Capacity of firm plants within 50 miles';
comment on column core.parcel_metric.variable_generation_10mi_mw is 'Capacity of wind and solar plants within 10 miles';
comment on column core.parcel_metric.variable_generation_25mi_mw is 'Capacity of wind and solar plants within 25 miles';
comment on column core.parcel_metric.variable_generation_50mi_mw is 'Capacity of wind and solar plants within 50 miles';
comment on column core.parcel_metric.retiring_generation_25mi_mw is 'Capacity, where it is known, of the steam plants within 25 miles that retire by 2035 or retired since 2018; NULL where the study knows of none';
comment on column core.parcel_metric.retiring_generation_25mi_count is 'Steam plants within 25 miles that retire by 2035 or retired since 2018; NULL where the study knows of none';
comment on column core.parcel_metric.metro_mi is 'Miles from the centroid to the people-weighted centre of the nearest metro of 250 000 people or more';
comment on column core.parcel_metric.metro_id is 'Nearest metro of 250,000 people or more';
comment on column core.parcel_metric.metro_name is 'Its name';
comment on column core.parcel_metric.metro_people is 'Its people';
comment on column core.parcel_metric.major_metro_mi is 'Miles from the centroid to the people-weighted centre of the nearest major metro, by default of a million people or more';
comment on column core.parcel_metric.major_metro_id is 'Nearest major metro, by default of a million people or more';
comment on column core.parcel_metric.major_metro_name is 'Its name';
comment on column core.parcel_metric.major_metro_people is 'Its people';
comment on column core.parcel_metric.is_within_100mi_of_major_metro is 'Whether the centroid lies within 100 geodesic miles of the centre of a major metro, by default of a million people or more';
comment on column core.parcel_metric.population_5mi is 'People within 5 geodesic miles of the centroid: where they crowd, land is scarce, dear and hard to permit; NULL where a raster of people does not cover them';
comment on column core.parcel_metric.population_25mi is 'People within 25 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column core.parcel_metric.population_50mi is 'People within 50 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column core.parcel_metric.population_100mi is 'People within 100 geodesic miles of the centroid; NULL where a raster of people does not cover them';
comment on column core.parcel_metric.pop_mi is 'Miles to the nearest point of presence of any carrier';
comment on column core.parcel_metric.pop_id is 'Id of that PoP';
comment on column core.parcel_metric.pop_carrier is 'Its carrier';
comment on column core.parcel_metric.ixp_mi is 'Miles to the nearest Internet exchange building, or, where a study infers them, to a PoP city of three carriers or more';
comment on column core.parcel_metric.ixp_id is 'Id of that exchange';
comment on column core.parcel_metric.ixp_name is 'Its name';
comment on column core.parcel_metric.ixp_is_inferred is 'Whether it is inferred from carriers present';
comment on column core.parcel_metric.carrier_25mi_count is 'Distinct carriers with a point of presence within 25 miles of the centroid';
comment on column core.parcel_metric.rtt_metro_ms_low is 'Low end of rtt_metro_ms_mid: routes as straight as fiber is laid';
comment on column core.parcel_metric.rtt_metro_ms_mid is 'Round trip over fiber from the centroid to the metro of 250,000 people or more that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column core.parcel_metric.rtt_metro_ms_high is 'High end of rtt_metro_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column core.parcel_metric.rtt_metro_id is 'Id of that metro';
comment on column core.parcel_metric.rtt_metro_name is 'Its name';
comment on column core.parcel_metric.rtt_major_metro_ms_low is 'Low end of rtt_major_metro_ms_mid: routes as straight as fiber is laid';
comment on column core.parcel_metric.rtt_major_metro_ms_mid is 'Round trip over fiber from the centroid to the major metro, by default of a million people or more, that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column core.parcel_metric.rtt_major_metro_ms_high is 'High end of rtt_major_metro_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column core.parcel_metric.rtt_major_metro_id is 'Id of that major metro';
comment on column core.parcel_metric.rtt_major_metro_name is 'Its name';
comment on column core.parcel_metric.rtt_major_metro_above_ceiling is 'Which ends of rtt_major_metro_ms are above the rule of thumb for the great circle to that metro (2.1 times light in fiber, and access): none, high, mid (mid and high) or low (all of it)';
comment on column core.parcel_metric.rtt_ixp_ms_low is 'Low end of rtt_ixp_ms_mid: routes as straight as fiber is laid';
comment on column core.parcel_metric.rtt_ixp_ms_mid is 'Round trip over fiber from the centroid to the exchange that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column core.parcel_metric.rtt_ixp_ms_high is 'High end of rtt_ixp_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column core.parcel_metric.rtt_ixp_id is 'Id of that exchange';
comment on column core.parcel_metric.rtt_ixp_name is 'Its name';
comment on column core.parcel_metric.people_5ms_low is 'People whose high round trip over fiber from the centroid is within 5 ms: those who surely are';
comment on column core.parcel_metric.people_5ms_mid is 'People whose mid round trip over fiber from the centroid is within 5 ms; NULL where light could reach land that the raster of people leaves out';
comment on column core.parcel_metric.people_5ms_high is 'People whose low round trip over fiber from the centroid is within 5 ms: as many as there may be';
comment on column core.parcel_metric.people_10ms_low is 'People whose high round trip over fiber from the centroid is within 10 ms: those who surely are';
comment on column core.parcel_metric.people_10ms_mid is 'People whose mid round trip over fiber from the centroid is within 10 ms; NULL where light could reach land that the raster of people leaves out';
comment on column core.parcel_metric.people_10ms_high is 'People whose low round trip over fiber from the centroid is within 10 ms: as many as there may be';
comment on column core.parcel_metric.people_20ms_low is 'People whose high round trip over fiber from the centroid is within 20 ms: those who surely are';
comment on column core.parcel_metric.people_20ms_mid is 'People whose mid round trip over fiber from the centroid is within 20 ms; NULL where light could reach land that the raster of people leaves out';
comment on column core.parcel_metric.people_20ms_high is 'People whose low round trip over fiber from the centroid is within 20 ms: as many as there may be';
comment on column core.parcel_metric.rtt_unknown_reason is 'Why round trips are unknown: no fiber layer, no connected node within 100 miles, no path to a metro, a major metro or an exchange; NULL where all are known';
comment on column core.parcel_metric.lit_node_mi is 'Miles from the centroid to the nearest fiber node with a path to an exchange on known links, or where none is in reach, with one on backhaul';
comment on column core.parcel_metric.lit_node_id is 'Id of that fiber node';
comment on column core.parcel_metric.lit_node_name is 'Its name';
comment on column core.parcel_metric.lit_node_musd is 'Cost of fiber that is built to the nearest lit node, millions of dollars: 1.3 times the straight miles, buried';
comment on column core.parcel_metric.diverse_node_mi is 'Miles from the centroid to the nearest fiber node within 100 miles whose path to another exchange metro shares no link or trench with that of the nearest lit node';
comment on column core.parcel_metric.diverse_node_id is 'Id of that diverse fiber node';
comment on column core.parcel_metric.diverse_node_musd is 'Cost of fiber that is built to the nearest diverse node, millions of dollars, like lit_node_musd';
comment on column core.parcel_metric.disjoint_path_count is 'Paths to different exchange metros that share no link or trench, up to 2: 2 where a diverse node is known, 1 where a lit node alone is, 0 where that has backhaul alone, of which nobody knows the way';
comment on column core.parcel_metric.is_single_homed is 'Whether disjoint_path_count is below 2; NULL where no node is in reach';
comment on column core.parcel_metric.path_basis is 'What disjoint_path_count rests on, the worst of its links: logical (neighbours in routing), mapped (straight links of a map) or right_of_way (laid along roads or rails)';
comment on column core.parcel_metric.industrial_usd_per_mwh is 'Average industrial retail price of electricity, of the county where known, else of the state';
comment on column core.parcel_metric.heating_degree_days_65f is 'Heating degree days a year (base 65 F)';
comment on column core.parcel_metric.cooling_degree_days_65f is 'Cooling degree days a year (base 65 F)';
comment on column core.parcel_metric.generation_queue_mw is 'Generation asking to connect, MW: of the county where a study has counties, else of the whole state';
comment on column core.parcel_metric.hazard_usd_per_person is 'Sum of the county''s FEMA risk values over the hazards known, dollars a year, divided by its people';
comment on column core.parcel_metric.land_value_usd_per_acre is 'Fair market value of land in dollars an acre of the nearest value cell';
comment on column core.parcel_metric.fiber_coverage_share is 'Share of the county''s addresses that fiber passes (FCC)';
comment on column core.parcel_metric.data_center_mi is 'Miles to the nearest data center that stands already; informative, NULL where the study knows none';
comment on column core.parcel_metric.data_center_25mi_count is 'Data centers that stand already within 25 miles of the centroid; informative, NULL where the study knows none';

insert into core.parcel_metric by name
select
    parcel_id,
    distance_basis,
    known_share,
    acres,
    area_acres,
    developable_share,
    lake_share,
    park_share,
    excluded_share,
    buildable_acres,
    contiguous_acres,
    compactness,
    minimum_width_m,
    inscribed_diameter_m,
    slope_mean_pct,
    slope_max_pct,
    gentle_share,
    substation_69kv_mi,
    substation_69kv_id,
    substation_69kv_kv,
    substation_138kv_mi,
    substation_138kv_id,
    substation_138kv_kv,
    substation_230kv_mi,
    substation_230kv_id,
    substation_230kv_kv,
    substation_345kv_mi,
    substation_345kv_id,
    substation_345kv_kv,
    line_230kv_mi,
    line_230kv_id,
    line_230kv_kv_min,
    line_230kv_kv_max,
    headroom_mw_low,
    headroom_mw_mid,
    headroom_mw_high,
    headroom_substation_mi,
    headroom_substation_id,
    headroom_substation_kv,
    deliverable_mw,
    tie_line_kv,
    tie_line_mi,
    tie_line_musd,
    second_feed_mw,
    second_feed_mi,
    second_feed_substation_id,
    second_feed_musd,
    headroom_n0_mw,
    flexible_025_mw,
    flexible_100_mw,
    reserve_zone_mw,
    reserve_interconnection_mw,
    firm_generation_10mi_mw,
    firm_generation_25mi_mw,
    firm_generation_50mi_mw,
    variable_generation_10mi_mw,
    variable_generation_25mi_mw,
    variable_generation_50mi_mw,
    retiring_generation_25mi_mw,
    retiring_generation_25mi_count,
    metro_mi,
    metro_id,
    metro_name,
    metro_people,
    major_metro_mi,
    major_metro_id,
    major_metro_name,
    major_metro_people,
    is_within_100mi_of_major_metro,
    population_5mi,
    population_25mi,
    population_50mi,
    population_100mi,
    pop_mi,
    pop_id,
    pop_carrier,
    ixp_mi,
    ixp_id,
    ixp_name,
    ixp_is_inferred,
    carrier_25mi_count,
    rtt_metro_ms_low,
    rtt_metro_ms_mid,
    rtt_metro_ms_high,
    rtt_metro_id,
    rtt_metro_name,
    rtt_major_metro_ms_low,
    rtt_major_metro_ms_mid,
    rtt_major_metro_ms_high,
    rtt_major_metro_id,
    rtt_major_metro_name,
    rtt_major_metro_above_ceiling,
    rtt_ixp_ms_low,
    rtt_ixp_ms_mid,
    rtt_ixp_ms_high,
    rtt_ixp_id,
    rtt_ixp_name,
    people_5ms_low,
    people_5ms_mid,
    people_5ms_high,
    people_10ms_low,
    people_10ms_mid,
    people_10ms_high,
    people_20ms_low,
    people_20ms_mid,
    people_20ms_high,
    rtt_unknown_reason,
    lit_node_mi,
    lit_node_id,
    lit_node_name,
    lit_node_musd,
    diverse_node_mi,
    diverse_node_id,
    diverse_node_musd,
    disjoint_path_count,
    is_single_homed,
    path_basis,
    industrial_usd_per_mwh,
    heating_degree_days_65f,
    cooling_degree_days_65f,
    generation_queue_mw,
    hazard_usd_per_person,
    land_value_usd_per_acre,
    fiber_coverage_share,
    data_center_mi,
    data_center_25mi_count
from read_parquet($metric_path)
order by parcel_id;
