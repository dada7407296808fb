-- Internet Atlas mixes carriers with hosters, research networks and maps of the 1990s. A carrier is an organization
-- that sells and draws a link of 25 miles or more between two of its US nodes; reference/atlas_network.csv names the
-- exceptions. Labels are not unique: one that names several places cannot be linked to (sql/staging/atlas_link).
create table staging.atlas_pop as
with node as (
    select
        staging.word(NODE_NAME) as label,
        staging.word(ORGANIZATION) as organization,
        staging.word(CITY) as city,
        staging.word(COUNTRY) as country,
        staging.word(ASOF_DATE) as as_of,
        staging.number(LONGITUDE) as lon,
        staging.number(LATITUDE) as lat,
        raw_row,
        row_number() over (
            partition by NODE_NAME, ORGANIZATION, LATITUDE, LONGITUDE order by raw_row
        ) as copy_no
    from raw.atlas_node
),

label as (
    select
        label,
        count(distinct (organization, lon, lat)) as place_count,
        min(raw_row) as first_row,
        any_value(organization) as organization,
        any_value(lon) as lon,
        any_value(lat) as lat,
        bool_and(country = 'US') as is_us
    from node
    group by label
),

long_haul as (
    select distinct a.organization
    from raw.atlas_link as link
    inner join label as a on staging.word(link.FROM_NODE) = a.label
    inner join label as b on staging.word(link.TO_NODE) = b.label
    where
        a.is_us and b.is_us and a.place_count = 1 and b.place_count = 1
        and staging.miles(a.lon, a.lat, b.lon, b.lat) >= 25
),

renamed as (
    select
        case
            when node.raw_row = label.first_row then node.label else node.label || ' (row ' || node.raw_row || ')'
        end as pop_id,
        coalesce(node.city, node.label) as pop_name,
        coalesce(
            network.carrier_id,
            trim(regexp_replace(lower(node.organization), '[^a-z0-9]+', '_', 'g'), '_')
        ) as carrier_id,
        node.organization as carrier_name,
        coalesce(
            network.network_kind, case when long_haul.organization is not null then 'carrier' else 'host' end
        ) as carrier_kind,
        node.as_of,
        node.lon,
        node.lat,
        'atlas_node' as source_id,
        'atlas_node' as raw_table,
        node.raw_row,
        node.label,
        label.place_count,
        node.country,
        node.copy_no
    from node
    left join label using (label)
    left join long_haul on node.organization = long_haul.organization
    left join raw.ref_atlas_network as network on node.organization = network.organization
)

select
    * exclude (copy_no, country),
    case
        when label is null or carrier_name is null then 'invalid'
        when copy_no > 1 then 'duplicate'
        when country is distinct from 'US' then 'outside_area'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when label is null or carrier_name is null then 'has no label or no organization'
        when copy_no > 1 then 'repeats the label, organization and place of an earlier row'
        when country is distinct from 'US' then 'lies in ' || coalesce(country, 'no country')
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
