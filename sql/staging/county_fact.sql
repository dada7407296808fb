-- Public figures by county, from three files: prices, fiber and hazards (county table), people and income (ACS),
-- generation queue (ReEDS). num_datacenters of the county table is an answer and is never read.
--
-- The industrial price is revenue over sales of a county's utilities (2023), averaged. Three flaws are mended:
--   * where customers buy from others than the wires company, it is in part the price of delivery alone (DC 9 $/MWh,
--     Delaware 38, Syracuse 44): states with retail choice are not believed, nor a state whose counties average,
--     weighted by people, below 0.9 of its own EIA-861 price of three years before (Virginia);
--   * utilities without industrial sales count as zero: a county below half of what its state suggests is not believed;
--   * a county that is blank or not believed takes the state's price of 2020, moved to 2023 by the median change
--     of the states that are believed, so that no region is cheap because its price is older.
create table staging.county_fact as
with source as (
    select
        case when regexp_full_match(trim(county_fips), '[0-9]{4,5}') then lpad(trim(county_fips), 5, '0') end as county_id,
        staging.number(industrial_price) * 1000 as price,
        staging.number(fiber_100_20_coverage) as fiber_coverage_share,
        list_filter(
            [
                staging.number(cold_wave_risk_index_value),
                staging.number(drought_risk_index_value),
                staging.number(earthquake_risk_index_value),
                staging.number(hail_risk_index_value),
                staging.number(heat_wave_risk_index_value),
                staging.number(hurricane_risk_index_value),
                staging.number(ice_storm_risk_index_value),
                staging.number(landslide_risk_index_value),
                staging.number(lightning_risk_index_value),
                staging.number(riverine_flooding_risk_index_value),
                staging.number(strong_wind_risk_index_value),
                staging.number(tornado_risk_index_value),
                staging.number(wildfire_risk_index_value),
                staging.number(winter_weather_risk_index_value)
            ],
            lambda hazard: hazard is not null
        ) as hazards,
        staging.word(county) || ', ' || staging.word(state) as label,
        raw_row,
        row_number() over (partition by county_fips order by raw_row) as copy_no
    from raw.county_fact
),

acs as (
    select
        fips as county_id,
        staging.number(population) as people,
        -- ACS writes negative numbers for "not published".
        case when staging.number(median_hh_income) > 0 then staging.number(median_hh_income) end as income,
        raw_row
    from raw.county_acs
),

tract as (
    select county_id, sum(people) as people from staging.tract_people where reject_code is null group by county_id
),

queue as (
    -- Megawatts add up over the years 2025 to 2029: the last column holds them all.
    select substr(r, 2) as county_id, sum(staging.number("2029")) as queue_mw
    from raw.reeds_queue
    group by 1
),

state as (
    select
        ref.state,
        ref.state_fips,
        ref.state not in (select choice.state from raw.ref_retail_choice as choice) as is_bundled,
        staging.number(ref.industrial_usd_per_mwh_2020) as price_2020,
        sum(source.price * acs.people) filter (where source.price is not null)
        / sum(acs.people) filter (where source.price is not null) as price_2023
    from raw.ref_state as ref
    left join source on ref.state_fips = left(source.county_id, 2)
    left join acs on source.county_id = acs.county_id
    group by ref.state, ref.state_fips, ref.industrial_usd_per_mwh_2020
),

moved as (
    select
        state,
        state_fips,
        coalesce(is_bundled and price_2023 >= 0.9 * price_2020, false) as is_believed,
        price_2020
        * (
            select median(price_2023 / price_2020)
            from state
            where is_bundled and price_2023 >= 0.9 * price_2020
        ) as price
    from state
),

fact as (
    select
        county.county_id,
        round(coalesce(acs.people, tract.people))::bigint as population_people,
        acs.income as median_household_usd,
        case
            when moved.is_believed and source.price >= 0.5 * moved.price then source.price else moved.price
        end as industrial_usd_per_mwh,
        source.fiber_coverage_share,
        case when len(source.hazards) > 0 then list_sum(source.hazards) end as hazard_usd,
        len(source.hazards) as hazard_known_count,
        queue.queue_mw as generation_queue_mw,
        'county_fact' as source_id,
        case when source.county_id is not null then 'county_fact' end as raw_table,
        source.raw_row
    from staging.county_2018 as county
    inner join moved on county.state_id = moved.state
    left join source on county.county_id = source.county_id and source.copy_no = 1
    left join acs on county.county_id = acs.county_id
    left join tract on county.county_id = tract.county_id
    left join queue on county.county_id = queue.county_id
    where county.reject_code is null
),

unused as (
    select
        source.raw_row,
        case
            when source.county_id is null then 'invalid'
            when source.copy_no > 1 then 'duplicate'
            when moved.state is null then 'outside_area'
            else 'not_used'
        end as reject_code,
        case
            when source.county_id is null then source.label || ' has no FIPS code'
            when source.copy_no > 1 then 'repeats county ' || source.county_id
            when moved.state is null then source.label || ' lies outside the 48 states'
            else source.label || ' is not a county of 2018'
        end as reject_reason
    from source
    left join moved on left(source.county_id, 2) = moved.state_fips
    where source.raw_row not in (select raw_row from fact where raw_row is not null)
)

select *, null::varchar as reject_code, null::varchar as reject_reason from fact
union all by name
select 'county_fact' as source_id, 'county_fact' as raw_table, raw_row, reject_code, reject_reason from unused
union all by name
select
    'county_acs' as source_id,
    'county_acs' as raw_table,
    acs.raw_row,
    case
        when moved.state is null then 'outside_area'
        when fact.county_id is null then 'not_used'
        else 'merged'
    end as reject_code,
    case
        when moved.state is null then 'county ' || acs.county_id || ' lies outside the 48 states'
        when fact.county_id is null
            then 'planning region ' || acs.county_id || ' crosses counties: its people count in the state''s total only'
    end as reject_reason
from acs
left join moved on left(acs.county_id, 2) = moved.state_fips
left join fact on acs.county_id = fact.county_id
union all by name
select
    'reeds_queue' as source_id,
    'reeds_queue' as raw_table,
    queue.raw_row,
    case when fact.county_id is null then 'outside_area' else 'merged' end as reject_code,
    case when fact.county_id is null then 'county ' || substr(queue.r, 2) || ' is not in the study' end as reject_reason
from raw.reeds_queue as queue
left join fact on substr(queue.r, 2) = fact.county_id;
