-- NAMELSAD says County, Parish, Planning Region and the like; from 2020 on it is in the file.
create table staging.census_county_2023 as
with renamed as (
    select
        county.GEOID as county_id,
        county.NAMELSAD as county_name,
        state.state as state_id,
        staging.number(county.ALAND) / 2589988.110336 as land_sqmi,
        'county_2023' as source_id,
        st_setcrs(st_geomfromwkb(county.geometry), 'OGC:CRS84') as geometry,
        'census_county_2023' as raw_table,
        county.raw_row
    from raw.census_county_2023 as county
    left join raw.ref_state as state on county.STATEFP = state.state_fips
)

select
    *,
    case when state_id is null then 'outside_area' end as reject_code,
    case when state_id is null then 'county ' || county_id || ' lies outside the 48 states' end as reject_reason
from renamed;
