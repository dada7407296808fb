-- Links name their ends by label and are straight lines; a pair that is listed in both directions is one link.
create table staging.atlas_link as
with named as (
    select
        staging.word(FROM_NODE) as from_label,
        staging.word(TO_NODE) as to_label,
        raw_row,
        row_number() over (
            partition by
                least(staging.word(FROM_NODE), staging.word(TO_NODE)),
                greatest(staging.word(FROM_NODE), staging.word(TO_NODE))
            order by raw_row
        ) as copy_no
    from raw.atlas_link
),

label as (
    select
        label,
        any_value(place_count) as place_count,
        arg_min(pop_id, raw_row) as pop_id,
        arg_min(carrier_id, raw_row) as carrier_id,
        arg_min(coalesce(reject_code, ''), raw_row) as reject_code,
        arg_min(lon, raw_row) as lon,
        arg_min(lat, raw_row) as lat
    from staging.atlas_pop
    where label is not null
    group by label
),

joined as (
    select
        named.*,
        a.pop_id as from_pop_id,
        b.pop_id as to_pop_id,
        a.carrier_id,
        staging.miles(a.lon, a.lat, b.lon, b.lat) * 1.609344 as length_km,
        case
            when from_label is null or to_label is null then 'invalid'
            when from_label = to_label then 'invalid'
            when a.label is null or b.label is null then 'invalid'
            when a.place_count > 1 or b.place_count > 1 then 'invalid'
            when a.reject_code <> '' or b.reject_code <> '' then 'outside_area'
            when named.copy_no > 1 then 'duplicate'
        end as reject_code,
        case
            when from_label is null or to_label is null then 'names only one end'
            when from_label = to_label then 'begins and ends at ' || from_label
            when a.label is null then 'no node is called ' || from_label
            when b.label is null then 'no node is called ' || to_label
            when a.place_count > 1 then 'the label ' || from_label || ' names several places'
            when b.place_count > 1 then 'the label ' || to_label || ' names several places'
            when a.reject_code <> '' or b.reject_code <> '' then 'an end of the link lies outside the 48 states'
            when named.copy_no > 1 then 'repeats the pair of an earlier row'
        end as reject_reason
    from named
    left join label as a on named.from_label = a.label
    left join label as b on named.to_label = b.label
)

select
    from_label || ' - ' || to_label as link_id,
    carrier_id,
    from_pop_id,
    to_pop_id,
    length_km,
    'mapped' as link_kind,
    'atlas_link' as source_id,
    'atlas_link' as raw_table,
    raw_row,
    reject_code,
    reject_reason
from joined;
