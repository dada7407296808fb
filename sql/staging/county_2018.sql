create table staging.county_2018 as
with renamed as (
    select
        county.GEOID as county_id,
        county.NAME
        || case county.LSAD
            when '06' then ' County' when '15' then ' Parish' when '25' then ' city'
            when '03' then ' City and Borough' when '04' then ' Borough' when '05' then ' Census Area'
            when '12' then ' Municipality' else ''
        end as county_name,
        state.state as state_id,
        staging.number(county.ALAND) / 2589988.110336 as land_sqmi,
        'county_2018' as source_id,
        st_setcrs(st_geomfromwkb(county.geometry), 'OGC:CRS84') as geometry,
        'county_2018' as raw_table,
        county.raw_row
    from raw.county_2018 as county
    left join raw.ref_state as state on county.STATEFP = state.state_fips
)

select
    *,
    case when state_id is null then 'outside_area' end as reject_code,
    case when state_id is null then 'county ' || county_id || ' lies outside the 48 states' end as reject_reason
from renamed;
