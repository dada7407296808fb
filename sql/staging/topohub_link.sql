create table staging.topohub_link as
with renamed as (
    select
        link.network || '-' || link.source || '-' || link.target as link_id,
        coalesce(from_pop.carrier_id, link.network) as carrier_id,
        link.network || '-' || link.source as from_pop_id,
        link.network || '-' || link.target as to_pop_id,
        link.dist::double as length_km,
        case link.collection when 'caida' then 'ip_adjacency' else 'mapped' end as link_kind,
        'topohub_backbone' as source_id,
        'topohub_link' as raw_table,
        link.member as raw_member,
        link.raw_row,
        from_pop.reject_code is null and to_pop.reject_code is null
        and from_pop.pop_id is not null and to_pop.pop_id is not null as has_ends
    from raw.topohub_link as link
    left join staging.topohub_pop as from_pop on link.network || '-' || link.source = from_pop.pop_id
    left join staging.topohub_pop as to_pop on link.network || '-' || link.target = to_pop.pop_id
)

select
    * exclude (has_ends),
    case when not has_ends then 'outside_area' end as reject_code,
    case when not has_ends then 'an end of the link is not a point of presence of the study' end as reject_reason
from renamed;
