create view mart.ranked_regions as
select
    region_rank.workload,
    region_rank.region_kind,
    region_rank.region_id,
    region_rank.region_name,
    region_rank.rank,
    region_rank.score,
    region_rank.score_low,
    region_rank.score_high,
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
    region_rank.gate_status,
    region_rank.capacity_mw,
    region_rank.filled_share,
    region_rank.substation_count,
    region_rank.candidate_count,
    region_rank.parcel_count,
    region_rank.best_parcel_id,
    parcel.parcel_name as best_parcel_name,
    region_rank.best_parcel_score,
    region_rank.reason,
    region.population_people,
    metric.headroom_mw_low,
    metric.headroom_mw_mid,
    metric.headroom_mw_high,
    metric.headroom_substation_mi,
    metric.second_feed_mw,
    metric.flexible_100_mw,
    metric.substation_69kv_mi,
    metric.substation_138kv_mi,
    metric.substation_230kv_mi,
    metric.substation_345kv_mi,
    metric.line_230kv_mi,
    metric.firm_generation_50mi_mw,
    metric.variable_generation_50mi_mw,
    metric.industrial_usd_per_mwh,
    metric.cooling_degree_days_65f,
    metric.metro_name,
    metric.metro_mi,
    metric.major_metro_name,
    metric.major_metro_mi,
    metric.population_50mi,
    metric.population_100mi,
    metric.population_5mi,
    metric.carrier_25mi_count,
    metric.lit_node_mi,
    metric.disjoint_path_count,
    metric.rtt_major_metro_ms_low,
    metric.rtt_major_metro_ms_mid,
    metric.rtt_major_metro_ms_high,
    metric.rtt_ixp_ms_mid,
    metric.people_5ms_mid,
    metric.people_10ms_low,
    metric.people_10ms_mid,
    metric.people_10ms_high,
    metric.people_20ms_mid,
    metric.is_single_homed,
    metric.pop_mi,
    metric.ixp_mi,
    metric.acres,
    metric.contiguous_acres,
    metric.hazard_usd_per_person,
    metric.land_value_usd_per_acre,
    metric.known_share,
    region.lon,
    region.lat,
    region.geometry
from mart.region_rank
inner join mart.region using (region_kind, region_id)
left join mart.region_cost as cost using (workload, region_kind, region_id)
left join mart.region_confidence as confidence
    on
        region_rank.workload = confidence.workload
        and region_rank.region_kind = confidence.region_kind
        and region_rank.region_id = confidence.region_id
        and confidence.basis = 'score'
left join core.parcel on region_rank.best_parcel_id = parcel.parcel_id
left join core.parcel_metric as metric on region_rank.best_parcel_id = metric.parcel_id
order by region_rank.workload, region_rank.region_kind, region_rank.rank nulls last, region_rank.region_id;
comment on view mart.ranked_regions is 'Regions ranked for every workload, with the metrics of the best parcel of each; unranked ones have a NULL rank';
comment on column mart.ranked_regions.workload is 'Workload';
comment on column mart.ranked_regions.region_kind is 'county, metro, state or zone';
comment on column mart.ranked_regions.region_id is 'FIPS code, CBSA code, USPS code or id of the grid zone';
comment on column mart.ranked_regions.region_name is 'Name';
comment on column mart.ranked_regions.rank is 'Rank within its kind, from 1; NULL when unranked, see reason';
comment on column mart.ranked_regions.score is 'Score that ranks it, 0 to 100';
comment on column mart.ranked_regions.score_low is 'Score with unknown factors at their worst';
comment on column mart.ranked_regions.score_high is 'Score with unknown factors at their best';
comment on column mart.ranked_regions.p_top10 is
'Share of draws of uncertain inputs and weights in which it is among the first 10 of its kind';
comment on column mart.ranked_regions.p_top100 is
'Share of draws in which it is among the first 100 of its kind';
comment on column mart.ranked_regions.rank_p05 is
'Rank that 5 % of the draws do not exceed; NULL when nothing of its plan is left in more than 95 %';
comment on column mart.ranked_regions.rank_p50 is
'Rank that half of the draws do not exceed; NULL when nothing is left in more than half';
comment on column mart.ranked_regions.rank_p95 is
'Rank that 95 % of the draws do not exceed; NULL when nothing is left in more than 5 %';
comment on column mart.ranked_regions.swing_metric is
'Metric that most changes its place; mart.region_confidence says by what and how much';
comment on column mart.ranked_regions.cost_rank is
'Rank by cost_mid within its kind';
comment on column mart.ranked_regions.cost_low is
'Low end of cost_mid';
comment on column mart.ranked_regions.cost_mid is
'Cost of the parcels of its plan by the megawatts they bring: delivered dollars a MWh of IT load, or dollars a million queries; NULL where any of them is unknown';
comment on column mart.ranked_regions.cost_high is
'High end of cost_mid: every term at its high end at once';
comment on column mart.ranked_regions.capital_musd_mid is
'Tie lines, substations, fiber, land and site works of the plan, millions of dollars';
comment on column mart.ranked_regions.time_to_power_years_mid is
'Years to the first megawatt, mean by megawatts: mostly convention';
comment on column mart.ranked_regions.gate_status is 'pass, or unknown when no parcel passes all gates for sure';
comment on column mart.ranked_regions.capacity_mw is 'Megawatts of the target that its substations fill';
comment on column mart.ranked_regions.filled_share is 'Share of the target that they fill';
comment on column mart.ranked_regions.substation_count is 'Substations used';
comment on column mart.ranked_regions.candidate_count is 'Parcels that fail no gate';
comment on column mart.ranked_regions.parcel_count is 'Parcels';
comment on column mart.ranked_regions.best_parcel_id is 'Best parcel';
comment on column mart.ranked_regions.best_parcel_name is 'Where it is, in words';
comment on column mart.ranked_regions.best_parcel_score is 'Its score';
comment on column mart.ranked_regions.reason is 'Why it stands where it stands, or why it is not ranked';
comment on column mart.ranked_regions.population_people is 'People; NULL where not known';
comment on column mart.ranked_regions.headroom_mw_low is 'Of the best parcel: low end of the headroom of the feeding substation';
comment on column mart.ranked_regions.headroom_mw_mid is 'Of the best parcel: headroom of the feeding substation within 20 miles, after the worst single outage, by the study''s method: mart.substation says which';
comment on column mart.ranked_regions.headroom_mw_high is 'Of the best parcel: high end of the headroom of the feeding substation';
comment on column mart.ranked_regions.headroom_substation_mi is 'Of the best parcel: miles to the substation that headroom_mw belongs to';
comment on column mart.ranked_regions.second_feed_mw is 'Of the best parcel: megawatts that the best other substation within 20 miles would add to deliverable_mw, none of them counted twice; NULL where there is no other';
comment on column mart.ranked_regions.flexible_100_mw is 'Of the best parcel: mid headroom of the feeding substation for a load that gives up 1 % of its energy in a year; NULL where the study''s method knows none';
comment on column mart.ranked_regions.substation_69kv_mi is 'Of the best parcel: miles to the nearest substation whose highest voltage is at least 69 kV';
comment on column mart.ranked_regions.substation_138kv_mi is 'Of the best parcel: miles to the nearest substation whose highest voltage is at least 138 kV';
comment on column mart.ranked_regions.substation_230kv_mi is 'Of the best parcel: miles to the nearest substation whose highest voltage is at least 230 kV';
comment on column mart.ranked_regions.substation_345kv_mi is 'Of the best parcel: miles to the nearest substation whose highest voltage is at least 345 kV';
comment on column mart.ranked_regions.line_230kv_mi is 'Of the best parcel: miles to the nearest AC line whose voltage class is certainly at least 230 kV (220-287 counts as 230)';
comment on column mart.ranked_regions.firm_generation_50mi_mw is 'Of the best parcel: capacity of firm plants within 50 miles';
comment on column mart.ranked_regions.variable_generation_50mi_mw is 'Of the best parcel: capacity of wind and solar plants within 50 miles';
comment on column mart.ranked_regions.industrial_usd_per_mwh is 'Of the best parcel: average industrial retail price of electricity, of the county where known, else of the state';
comment on column mart.ranked_regions.cooling_degree_days_65f is 'Of the best parcel: cooling degree days a year (base 65 F)';
comment on column mart.ranked_regions.metro_name is 'Of the best parcel: its name';
comment on column mart.ranked_regions.metro_mi is 'Of the best parcel: miles from the centroid to the people-weighted centre of the nearest metro of 250 000 people or more';
comment on column mart.ranked_regions.major_metro_name is 'Of the best parcel: its name';
comment on column mart.ranked_regions.major_metro_mi is 'Of the best parcel: miles from the centroid to the people-weighted centre of the nearest major metro, by default of a million people or more';
comment on column mart.ranked_regions.population_50mi is 'Of the best parcel: people within 50 geodesic miles of the centroid';
comment on column mart.ranked_regions.population_100mi is 'Of the best parcel: people within 100 geodesic miles of the centroid';
comment on column mart.ranked_regions.population_5mi is 'Of the best parcel: people within 5 geodesic miles of the centroid: where they crowd, land is scarce, dear and hard to permit; NULL where a raster of people does not cover them';
comment on column mart.ranked_regions.carrier_25mi_count is 'Of the best parcel: distinct carriers with a point of presence within 25 miles of the centroid';
comment on column mart.ranked_regions.lit_node_mi is 'Of the best parcel: miles from the centroid to the nearest fiber node with a path to an exchange on known links, or where none is in reach, with one on backhaul';
comment on column mart.ranked_regions.disjoint_path_count is 'Of the best parcel: paths to different exchange metros that share no link or trench, up to 2: 2 where a diverse node is known, 1 where a lit node alone is, 0 where that has backhaul alone, of which nobody knows the way';
comment on column mart.ranked_regions.rtt_major_metro_ms_low is 'Of the best parcel: low end of rtt_major_metro_ms_mid: routes as straight as fiber is laid';
comment on column mart.ranked_regions.rtt_major_metro_ms_mid is 'Of the best parcel: round trip over fiber from the centroid to the major metro, by default of a million people or more, that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column mart.ranked_regions.rtt_major_metro_ms_high is 'Of the best parcel: high end of rtt_major_metro_ms_mid: routes, hops and changes of carrier as long as is usual';
comment on column mart.ranked_regions.rtt_ixp_ms_mid is 'Of the best parcel: round trip over fiber from the centroid to the exchange that is reached soonest, milliseconds; NULL where rtt_unknown_reason says why';
comment on column mart.ranked_regions.people_5ms_mid is 'Of the best parcel: people whose mid round trip over fiber from the centroid is within 5 ms';
comment on column mart.ranked_regions.people_10ms_low is 'Of the best parcel: people whose high round trip over fiber from the centroid is within 10 ms: those who surely are';
comment on column mart.ranked_regions.people_10ms_mid is 'Of the best parcel: people whose mid round trip over fiber from the centroid is within 10 ms';
comment on column mart.ranked_regions.people_10ms_high is 'Of the best parcel: people whose low round trip over fiber from the centroid is within 10 ms: as many as there may be';
comment on column mart.ranked_regions.people_20ms_mid is 'Of the best parcel: people whose mid round trip over fiber from the centroid is within 20 ms';
comment on column mart.ranked_regions.is_single_homed is 'Of the best parcel: whether disjoint_path_count is below 2; NULL where no node is in reach';
comment on column mart.ranked_regions.pop_mi is 'Of the best parcel: miles to the nearest point of presence of any carrier';
comment on column mart.ranked_regions.ixp_mi is 'Of the best parcel: miles to the nearest Internet exchange building, or, where a study infers them, to a PoP city of three carriers or more';
comment on column mart.ranked_regions.acres is 'Of the best parcel: acres that can be built on: the assessor''s or measured area of a parcel; for a generated cell the developable share of its land, NULL where no layer says';
comment on column mart.ranked_regions.contiguous_acres is 'Of the best parcel: acres of the largest connected piece of what no exclusion covers; NULL where the study has none';
comment on column mart.ranked_regions.hazard_usd_per_person is 'Of the best parcel: sum of the county''s FEMA risk values over the hazards known, dollars a year, divided by its people';
comment on column mart.ranked_regions.land_value_usd_per_acre is 'Of the best parcel: fair market value of land in dollars an acre of the nearest value cell';
comment on column mart.ranked_regions.known_share is 'Of the best parcel: share of the metrics of the study that are known for this parcel';
comment on column mart.ranked_regions.lon is 'Longitude of a point inside';
comment on column mart.ranked_regions.lat is 'Latitude of that point';
comment on column mart.ranked_regions.geometry is 'Polygon';
