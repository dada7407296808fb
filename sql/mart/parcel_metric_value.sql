-- One row a parcel and metric that is known. The list is held against meta.metric by a test.
create view mart.parcel_metric_value as
select parcel_no, metric, value
from (
    unpivot (
        select
            parcel.parcel_no,
            parcel_metric.acres::double as acres,
            parcel_metric.area_acres::double as area_acres,
            parcel_metric.developable_share::double as developable_share,
            parcel_metric.lake_share::double as lake_share,
            parcel_metric.park_share::double as park_share,
            parcel_metric.excluded_share::double as excluded_share,
            parcel_metric.buildable_acres::double as buildable_acres,
            parcel_metric.contiguous_acres::double as contiguous_acres,
            parcel_metric.compactness::double as compactness,
            parcel_metric.minimum_width_m::double as minimum_width_m,
            parcel_metric.inscribed_diameter_m::double as inscribed_diameter_m,
            parcel_metric.slope_mean_pct::double as slope_mean_pct,
            parcel_metric.slope_max_pct::double as slope_max_pct,
            parcel_metric.gentle_share::double as gentle_share,
            parcel_metric.substation_69kv_mi::double as substation_69kv_mi,
            parcel_metric.substation_138kv_mi::double as substation_138kv_mi,
            parcel_metric.substation_230kv_mi::double as substation_230kv_mi,
            parcel_metric.substation_345kv_mi::double as substation_345kv_mi,
            parcel_metric.line_230kv_mi::double as line_230kv_mi,
            parcel_metric.headroom_mw_low::double as headroom_mw_low,
            parcel_metric.headroom_mw_mid::double as headroom_mw_mid,
            parcel_metric.headroom_mw_high::double as headroom_mw_high,
            parcel_metric.headroom_substation_mi::double as headroom_substation_mi,
            parcel_metric.deliverable_mw::double as deliverable_mw,
            parcel_metric.tie_line_kv::double as tie_line_kv,
            parcel_metric.tie_line_mi::double as tie_line_mi,
            parcel_metric.tie_line_musd::double as tie_line_musd,
            parcel_metric.second_feed_mw::double as second_feed_mw,
            parcel_metric.second_feed_mi::double as second_feed_mi,
            parcel_metric.second_feed_musd::double as second_feed_musd,
            parcel_metric.headroom_n0_mw::double as headroom_n0_mw,
            parcel_metric.flexible_025_mw::double as flexible_025_mw,
            parcel_metric.flexible_100_mw::double as flexible_100_mw,
            parcel_metric.reserve_zone_mw::double as reserve_zone_mw,
            parcel_metric.reserve_interconnection_mw::double as reserve_interconnection_mw,
            parcel_metric.firm_generation_10mi_mw::double as firm_generation_10mi_mw,
            parcel_metric.firm_generation_25mi_mw::double as firm_generation_25mi_mw,
            parcel_metric.firm_generation_50mi_mw::double as firm_generation_50mi_mw,
            parcel_metric.variable_generation_10mi_mw::double as variable_generation_10mi_mw,
            parcel_metric.variable_generation_25mi_mw::double as variable_generation_25mi_mw,
            parcel_metric.variable_generation_50mi_mw::double as variable_generation_50mi_mw,
            parcel_metric.retiring_generation_25mi_mw::double as retiring_generation_25mi_mw,
            parcel_metric.retiring_generation_25mi_count::double as retiring_generation_25mi_count,
            parcel_metric.metro_mi::double as metro_mi,
            parcel_metric.major_metro_mi::double as major_metro_mi,
            parcel_metric.is_within_100mi_of_major_metro::double as is_within_100mi_of_major_metro,
            parcel_metric.population_5mi::double as population_5mi,
            parcel_metric.population_25mi::double as population_25mi,
            parcel_metric.population_50mi::double as population_50mi,
            parcel_metric.population_100mi::double as population_100mi,
            parcel_metric.pop_mi::double as pop_mi,
            parcel_metric.ixp_mi::double as ixp_mi,
            parcel_metric.carrier_25mi_count::double as carrier_25mi_count,
            parcel_metric.industrial_usd_per_mwh::double as industrial_usd_per_mwh,
            parcel_metric.heating_degree_days_65f::double as heating_degree_days_65f,
            parcel_metric.cooling_degree_days_65f::double as cooling_degree_days_65f,
            parcel_metric.generation_queue_mw::double as generation_queue_mw,
            parcel_metric.hazard_usd_per_person::double as hazard_usd_per_person,
            parcel_metric.land_value_usd_per_acre::double as land_value_usd_per_acre,
            parcel_metric.fiber_coverage_share::double as fiber_coverage_share,
            parcel_metric.data_center_mi::double as data_center_mi,
            parcel_metric.data_center_25mi_count::double as data_center_25mi_count
        from core.parcel_metric
        inner join core.parcel using (parcel_id)
    ) on columns(* exclude (parcel_no)) into name metric value value
);
comment on view mart.parcel_metric_value is 'Metrics of every parcel in long form; an unknown metric has no row';
comment on column mart.parcel_metric_value.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_metric_value.metric is 'Metric';
comment on column mart.parcel_metric_value.value is 'Its value in its own unit; booleans are 0 and 1';
