-- Tracts of 2010 scaled to the people of ACS 2019-2023: by county where ACS has the county of the tract, else
-- by what is left of the state. That is Connecticut: ACS counts its planning regions, whose lines cross the
-- counties, and no file here says how.
create table staging.tract_people as
with acs as (
    select fips as county_id, left(fips, 2) as state_fips, staging.number(population) as people
    from raw.county_acs
),

tract as (
    select
        people.tract as people_id,
        staging.number(people.pop) as people_2010,
        substr(people.tract, 7, 2) as state_fips,
        coalesce(change.new_county_id, substr(people.tract, 7, 5)) as county_id,
        staging.number(centroid.lon) as lon,
        staging.number(centroid.lat) as lat,
        people.raw_row
    from raw.tract_people as people
    left join raw.tract_centroid as centroid using (tract)
    left join raw.ref_county_change as change on substr(people.tract, 7, 5) = change.old_county_id
),

county as (
    select
        tract.county_id,
        tract.state_fips,
        sum(tract.people_2010) as people_2010,
        any_value(acs.people) as acs_people
    from tract
    left join acs on tract.county_id = acs.county_id
    where tract.lon is not null
    group by tract.county_id, tract.state_fips
),

state as (
    select
        county.state_fips,
        any_value(total.people) - coalesce(sum(county.acs_people), 0) as left_people,
        sum(county.people_2010) filter (where county.acs_people is null) as left_people_2010
    from county
    inner join (select state_fips, sum(people) as people from acs group by state_fips) as total using (state_fips)
    group by county.state_fips
),

factor as (
    select
        county.county_id,
        case
            when county.acs_people is not null then 'tract_scaled_to_county' else 'tract_scaled_to_state'
        end as method,
        case
            when county.acs_people is not null then county.acs_people / nullif(county.people_2010, 0)
            else state.left_people / nullif(state.left_people_2010, 0)
        end as scale_factor
    from county
    left join state using (state_fips)
),

renamed as (
    select
        tract.people_id,
        tract.people_2010 * factor.scale_factor as people,
        factor.scale_factor,
        factor.method,
        state.state as state_id,
        tract.county_id,
        tract.lon,
        tract.lat,
        tract.people_2010,
        'tract_people' as source_id,
        'tract_people' as raw_table,
        tract.raw_row
    from tract
    left join factor using (county_id)
    left join raw.ref_state as state on tract.state_fips = state.state_fips
)

select
    * exclude (people_2010),
    case
        when state_id is null then 'outside_area'
        when lon is null and people_2010 = 0 then 'not_used'
        when people is null then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when state_id is null then 'lies outside the 48 states'
        when lon is null and people_2010 = 0 then 'nobody lives there and it has no centroid'
        when lon is null then 'has no centroid'
        when people is null then 'has no count, or its county no people to scale to'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed
union all by name
select
    'tract_centroid' as raw_table,
    centroid.raw_row,
    'tract_people' as source_id,
    case when people.tract is null then 'invalid' else 'merged' end as reject_code,
    case when people.tract is null then 'has no count of people' end as reject_reason
from raw.tract_centroid as centroid
left join raw.tract_people as people using (tract);
