-- The grid is that of the WIND Toolkit: 4 km on a Lambert conformal cone with parallels 30 and 60, so a cell's true
-- side is 4 km over the scale of the projection there: 3.89 km in the Keys, 4.15 km at 46 degrees. A cell that a
-- state line cuts has a row in each state; its parts are added up.
create table staging.developable_4km as
with source as (
    select
        staging.word(state) as state_id,
        rowf_colf as cell,
        longitude::double as lon,
        latitude::double as lat,
        km2::double as km2,
        raw_row
    from raw.developable_4km
),

scaled as (
    select
        *,
        ln(cos(radians(30)) / cos(radians(60))) / ln(tan(radians(75)) / tan(radians(60))) as cone,
        row_number() over (partition by cell order by km2 desc, raw_row) as part_no,
        sum(km2) over (partition by cell order by km2 desc, raw_row rows between unbounded preceding and unbounded following)
            as cell_km2
    from source
),

sided as (
    select
        *,
        4 * cos(radians(lat)) / cos(radians(30))
        * pow(tan(radians(45 + lat / 2)) / tan(radians(60)), cone) as side_km
    from scaled
),

renamed as (
    select
        state_id,
        lon,
        lat,
        -- One side for all, the longest, within which the nearest cell is looked for.
        4.15::double as cell_km,
        -- The cone of a sphere is up to 0.4 % off that of the ellipsoid.
        least(cell_km2 / pow(side_km, 2), 1) as developable_share,
        'developable_4km' as source_id,
        'developable_4km' as raw_table,
        raw_row,
        part_no,
        cell_km2 / pow(side_km, 2) as share
    from sided
)

select
    * exclude (part_no, share),
    case
        when part_no > 1 then 'merged'
        when share is null or share < 0 or share > 1.05 then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when part_no > 1 then 'is the part of its cell in another state'
        when share is null or share < 0 or share > 1.05 then 'holds more land than the cell, or no number'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
