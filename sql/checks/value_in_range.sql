-- severity: error
-- description: voltages, megawatts, people, degree days, prices and shares lie in the range of what they can be
-- The highest voltage of the world is 1,150 kV, its largest plant 22,500 MW, its largest metro 40 million people.
with named as (
    select 'substation' as layer, substation_id as id, 'kv_max' as name, kv_max::double as value, 0.1 as low, 1200 as high
    from core.substation
    union all
    select 'substation', substation_id, 'kv_min', kv_min, 0.1, 1200 from core.substation
    union all
    select 'substation', substation_id, 'load_mw', load_mw, -20000, 20000 from core.substation
    union all
    select 'line', line_id, 'kv_min', kv_min, 0.1, 1200 from core.line
    union all
    select 'line', line_id, 'kv_max', kv_max, 0.1, 1200 from core.line
    union all
    select 'line', line_id, 'rating_mva', rating_mva, 0, 1000000 from core.line
    union all
    select 'plant', plant_id, 'capacity_mw', capacity_mw, 0, 25000 from core.plant
    union all
    select 'plant', plant_id, 'grid_kv', grid_kv, 0, 1200 from core.plant
    union all
    select 'people', people_id, 'people', people, 0, 50000000 from core.people
    union all
    select 'metro', metro_id, 'metro_people', metro_people, 1, 50000000 from core.metro
    union all
    select 'county_fact', county_id, 'population_people', population_people, 0, 12000000 from core.county_fact
    union all
    select 'county_fact', county_id, 'median_household_usd', median_household_usd, 1000, 1000000 from core.county_fact
    union all
    select 'county_fact', county_id, 'industrial_usd_per_mwh', industrial_usd_per_mwh, 1, 2000 from core.county_fact
    union all
    select 'county_fact', county_id, 'fiber_coverage_share', fiber_coverage_share, 0, 1 from core.county_fact
    union all
    select 'county_fact', county_id, 'hazard_usd', hazard_usd, 0, 1000000000000 from core.county_fact
    union all
    select 'county_fact', county_id, 'generation_queue_mw', generation_queue_mw, 0, 1000000 from core.county_fact
    union all
    select 'climate_point', null, 'heating_degree_days_65f', heating_degree_days_65f, 0, 25000 from core.climate_point
    union all
    select 'climate_point', null, 'cooling_degree_days_65f', cooling_degree_days_65f, 0, 10000 from core.climate_point
    union all
    select 'land_value', null, 'land_value_usd_per_acre', land_value_usd_per_acre, 0, 1000000000 from core.land_value
    union all
    select 'developable', null, 'developable_share', developable_share, 0, 1 from core.developable
)

select layer, id, name, value, low, high
from named
where value not between low and high or isnan(value);
