-- The mesh fills the states that the 4 km grid lacks. Its points stand on a staggered lattice, and km2 is counted
-- over all that is nearer to the point than to another: at the border up to 513, more than the lattice's cell.
-- The cell's area is taken as the 95th percentile of a state's points (184 to 193 km2); the share stops at 1.
create table staging.developable_14km as
with source as (
    select
        staging.word(state) as state_id,
        Longitude::double as lon,
        Latitude::double as lat,
        km2::double as km2,
        raw_row
    from raw.developable_14km
),

missing as (
    select distinct state_id
    from source
    where state_id not in (select distinct state_id from staging.developable_4km where state_id is not null)
),

cell as (
    select source.state_id, quantile_cont(source.km2, 0.95) as cell_km2
    from source
    inner join missing using (state_id)
    group by source.state_id
),

point as (
    select
        *,
        sum(km2) over (partition by lon, lat order by raw_row rows between unbounded preceding and unbounded following)
            as point_km2,
        row_number() over (
            partition by lon, lat order by (state_id not in (from missing)), km2 desc, raw_row
        ) as part_no
    from source
),

renamed as (
    select
        point.state_id,
        point.lon,
        point.lat,
        round(sqrt(cell.cell_km2), 1) as cell_km,
        least(point.point_km2 / cell.cell_km2, 1) as developable_share,
        'developable_14km' as source_id,
        'developable_14km' as raw_table,
        point.raw_row,
        point.part_no,
        cell.state_id is null as has_finer
    from point
    left join cell using (state_id)
)

select
    * exclude (part_no, has_finer),
    case
        when part_no > 1 and not has_finer then 'merged'
        when has_finer then 'not_used'
        when developable_share is null or developable_share < 0 then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when part_no > 1 and not has_finer then 'is the part of its cell in another state'
        when has_finer then 'its state is in the 4 km grid'
        when developable_share is null or developable_share < 0 then 'km2 is not a number'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
