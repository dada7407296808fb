-- PLACES FMV states values in ln($ of January 2022 per hectare); ReEDS ships them back in dollars (its note: "any
-- original data was in log scale"). The unit is the hectare: Iowa averages 23,000, and 9,300 an acre is what USDA finds.
create table staging.places_land_value as
with renamed as (
    select
        staging.number(places_fmv_all_rev) / 2.47105381 as land_value_usd_per_acre,
        11.5::double as cell_km,
        staging.number(longitude) as lon,
        staging.number(latitude) as lat,
        'land_value' as source_id,
        'land_value' as raw_table,
        raw_row
    from raw.land_value
)

select
    *,
    case
        when land_value_usd_per_acre is null or land_value_usd_per_acre <= 0 then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when land_value_usd_per_acre is null or land_value_usd_per_acre <= 0
            then 'a value of 0 is no price: nothing is sold there, or nothing is known'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
