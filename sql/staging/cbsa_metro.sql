-- Name from the delineation, people from ACS, centre weighted by the people of the tracts.
create table staging.cbsa_metro as
with title as (
    select staging.word("CBSA Code") as metro_id, any_value(staging.word("CBSA Title")) as metro_name
    from raw.cbsa_delineation
    group by 1
),

people as (
    select member.metro_id, sum(fact.population_people)::bigint as metro_people
    from staging.cbsa_metro_county as member
    inner join staging.county_fact as fact using (county_id)
    where member.reject_code is null and fact.reject_code is null
    group by member.metro_id
),

centre as (
    select
        member.metro_id,
        -- Decimals sum exactly, so that the centre does not depend on the order of the rows.
        sum((tract.people * tract.lon)::decimal(38, 6)) / sum(tract.people::decimal(38, 6)) as lon,
        sum((tract.people * tract.lat)::decimal(38, 6)) / sum(tract.people::decimal(38, 6)) as lat
    from staging.cbsa_metro_county as member
    inner join staging.tract_people as tract using (county_id)
    where member.reject_code is null and tract.reject_code is null
    group by member.metro_id
)

select
    people.metro_id,
    title.metro_name,
    people.metro_people,
    round(centre.lon::double, 6) as lon,
    round(centre.lat::double, 6) as lat,
    people.metro_people >= 1000000 as is_major,
    'cbsa_delineation' as source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from people
inner join title using (metro_id)
inner join centre using (metro_id);
