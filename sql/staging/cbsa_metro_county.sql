-- Counties of the metropolitan areas of 250,000 people or more (delineation of March 2020, people of core.county_fact).
create table staging.cbsa_metro_county as
with member as (
    select
        staging.word("CBSA Code") as metro_id,
        staging.word("Metropolitan/Micropolitan Statistical Area") as kind,
        lpad(staging.word("FIPS State Code"), 2, '0') || lpad(staging.word("FIPS County Code"), 3, '0') as county_id,
        lpad(staging.word("FIPS State Code"), 2, '0') as state_fips,
        raw_row
    from raw.cbsa_delineation
),

people as (
    select member.metro_id, sum(fact.population_people) as metro_people
    from member
    inner join staging.county_fact as fact using (county_id)
    where fact.reject_code is null
    group by member.metro_id
),

coded as (
    select
        member.*,
        people.metro_people,
        case
            -- The published sheet ends in notes and a source line: no five-digit code, no county.
            when not coalesce(regexp_full_match(member.metro_id, '[0-9]{5}'), false) or member.county_id is null
                then 'not_data'
            when state.state is null then 'outside_area'
            when member.kind is distinct from 'Metropolitan Statistical Area' then 'not_used'
            when coalesce(people.metro_people, 0) < 250000 then 'not_used'
        end as reject_code
    from member
    left join people using (metro_id)
    left join raw.ref_state as state using (state_fips)
)

select
    metro_id,
    county_id,
    'cbsa_delineation' as source_id,
    'cbsa_delineation' as raw_table,
    raw_row,
    reject_code,
    case
        when reject_code = 'not_data' then 'is a footnote, not a county'
        when reject_code = 'outside_area' then 'county ' || county_id || ' lies outside the 48 states'
        when reject_code = 'not_used' and kind is distinct from 'Metropolitan Statistical Area'
            then 'belongs to a micropolitan area'
        when reject_code = 'not_used'
            then 'belongs to a metro of ' || coalesce(metro_people, 0)::bigint || ' people, below 250,000'
    end as reject_reason
from coded;
