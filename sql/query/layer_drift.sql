-- Parts of layers that the last build had, attached as last_run, and that are gone: a state, a class of voltage.
with source as (
    select
        layer,
        list(distinct layer_source.source_id order by layer_source.source_id) as source_ids,
        bool_or(source.access_kind in $live) as is_live
    from meta.layer_source
    left join meta.source using (source_id)
    group by layer
),

same as (
    -- A layer of other sources is another layer.
    select source.layer, source.is_live
    from source
    inner join (
        select layer, list(distinct source_id order by source_id) as source_ids
        from last_run.meta.layer_source
        group by layer
    ) as last_source using (layer, source_ids)
    where not list_contains(source.source_ids, 'network_case')
),

now_part as (
    select 'line' as layer, 'class of voltage' as part, coalesce(kv_min || ' kV', 'below ' || kv_max || ' kV') as named
    from core.line
    union all
    select 'substation', 'class of voltage', kv_max || ' kV' from core.substation
    union all
    select 'plant', 'kind of fuel', fuel_kind from core.plant
    union all
    select 'people', 'state', state_id from core.people
    union all
    select 'county', 'state', state_id from core.county
    union all
    select 'pop', 'carrier', carrier_name from core.pop
),

last_part as (
    select 'line' as layer, 'class of voltage' as part, coalesce(kv_min || ' kV', 'below ' || kv_max || ' kV') as named
    from last_run.core.line
    union all
    select 'substation', 'class of voltage', kv_max || ' kV' from last_run.core.substation
    union all
    select 'plant', 'kind of fuel', fuel_kind from last_run.core.plant
    union all
    select 'people', 'state', state_id from last_run.core.people
    union all
    select 'county', 'state', state_id from last_run.core.county
    union all
    select 'pop', 'carrier', carrier_name from last_run.core.pop
),

gone as (
    select layer, part, named, count(*) as row_count
    from last_part
    where named is not null
    group by layer, part, named
    having count(*) >= if(part = 'state', 1, $few)
)

select
    gone.layer || ' ' || gone.part || ' gone' as check_name,
    case
        when not same.is_live then 'info' when gone.part in ('state', 'class of voltage') then 'error' else 'warn'
    end as severity,
    format('layer {}: every {} of the last build is there', gone.layer, gone.part) as description,
    count(*) as offending_count,
    list(format('{} had {:,} rows', gone.named, gone.row_count) order by gone.row_count desc, gone.named)[:5] as examples
from gone
inner join same using (layer)
anti join (select distinct layer, part, named from now_part) as now_part using (layer, part, named)
group by gone.layer, gone.part, same.is_live
order by check_name;
