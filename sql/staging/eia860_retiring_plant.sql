-- A plant retires when every boiler in use (operating, standby, out of service) has a planned year, and is retired
-- when all its boilers are, the last of them in 2018 or later. A plant with a boiler planned, built or tested keeps
-- its connection. A plant with boilers in use that recover a gas turbine's heat does not count as retiring: 72 % of their
-- planned years are 30, 35, 40, 45 or 50 years after the start to the year (18 % of the others'): a design life.
-- Plants without boilers (peakers, most nuclear and all renewables) are not in the file.
create table staging.eia860_retiring_plant as
with boiler as (
    select
        staging.number("Plant Code")::bigint as plant_code,
        staging.word("Plant Name") as plant_name,
        upper(staging.word("Boiler Status")) as status,
        staging.number("Retirement Year")::integer as retirement_year,
        coalesce(staging.word(HRSG) = 'Y', false) as is_heat_recovery,
        raw_row,
        row_number() over (partition by staging.number("Plant Code")::bigint order by raw_row) as boiler_no
    from raw.eia860_boiler
),

counted as (
    select
        plant_code,
        count(*) filter (where status in ('OP', 'SB', 'SC', 'OA', 'OS')) as used_count,
        count(retirement_year) filter (where status in ('OP', 'SB', 'SC', 'OA', 'OS')) as planned_count,
        count(*) filter (where status in ('OP', 'SB', 'SC', 'OA', 'OS') and is_heat_recovery) as recovery_count,
        count(*) filter (where status in ('PL', 'CO', 'TS')) as coming_count,
        count(*) filter (where status = 'RE') as retired_count,
        max(retirement_year) filter (where status in ('OP', 'SB', 'SC', 'OA', 'OS')) as planned_year,
        max(retirement_year) filter (where status = 'RE') as retired_year
    from boiler
    group by plant_code
),

judged as (
    select
        plant_code,
        case
            when coming_count > 0 then null
            when used_count > 0 and planned_count = used_count and recovery_count = 0 then 'retiring'
            when used_count = 0 and retired_count > 0 and retired_year >= 2018 then 'retired'
        end as retirement_status,
        case when used_count > 0 then planned_year else retired_year end as retirement_year,
        case
            when coming_count > 0 then 'belongs to a plant with a boiler planned, built or tested'
            when recovery_count > 0 then 'belongs to a plant whose gas turbines stay, as far as is known'
            when used_count > 0
                then 'belongs to a plant of which ' || (used_count - planned_count) || ' of ' || used_count
                    || ' boilers in use have no planned retirement'
            when retired_count > 0
                then 'belongs to a plant that retired ' || coalesce('in ' || retired_year, 'in a year not known')
            else 'belongs to a plant that was never built'
        end as why_not
    from counted
),

eia as (
    select
        staging.number("Plant Code")::bigint as plant_code,
        staging.number(Longitude) as lon,
        staging.number(Latitude) as lat,
        -- 550 to 734 kV is no voltage of the US grid: those rows give volts of the inverter.
        list_max(list_filter(
            [
                staging.number("Grid Voltage (kV)"),
                staging.number("Grid Voltage 2 (kV)"),
                staging.number("Grid Voltage 3 (kV)")
            ],
            lambda kv: kv > 0 and kv not between 550 and 734
        )) as kv
    from raw.eia860_plant
    qualify row_number() over (partition by staging.number("Plant Code")::bigint order by raw_row) = 1
),

wri as (
    select
        try_cast(substr(gppd_idnr, 4) as bigint) as plant_code,
        staging.number(longitude) as lon,
        staging.number(latitude) as lat,
        -- WRI writes 0 where no generator was running in 2019: unknown today, not nothing.
        nullif(staging.number(capacity_mw), 0) as capacity_mw
    from raw.wri_plant
    where starts_with(gppd_idnr, 'USA')
    qualify row_number() over (partition by gppd_idnr order by raw_row) = 1
),

joined as (
    select
        'USA' || lpad(boiler.plant_code::varchar, 7, '0') as plant_id,
        boiler.plant_name,
        judged.retirement_year,
        judged.retirement_status,
        wri.capacity_mw,
        eia.kv,
        coalesce(eia.lon, wri.lon) as lon,
        coalesce(eia.lat, wri.lat) as lat,
        boiler.plant_code,
        boiler.boiler_no,
        judged.why_not,
        boiler.raw_row
    from boiler
    left join judged using (plant_code)
    left join eia using (plant_code)
    left join wri using (plant_code)
),

coded as (
    select
        *,
        case
            when plant_code is null then 'not_data'
            when retirement_status is null then 'not_used'
            when staging.point_reject_code(lon, lat) is not null then staging.point_reject_code(lon, lat)
            when boiler_no > 1 then 'merged'
        end as reject_code
    from joined
)

select
    * exclude (plant_code, boiler_no, why_not, raw_row),
    'eia860_boiler' as source_id,
    'eia860_boiler' as raw_table,
    raw_row,
    case reject_code
        when 'not_data' then 'is a footnote, no boiler'
        when 'not_used' then why_not
        when 'merged' then 'is a boiler of ' || plant_id
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from coded;
