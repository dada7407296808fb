create macro mart.shared_load(plan) as table
with given as (
    select unnest(plan::struct (substation_id varchar, mw double)[]) as item
),

load as (
    select
        item.substation_id as substation_id,
        sum(
            case
                when item.substation_id is null or not coalesce(item.mw >= 0 and isfinite(item.mw), false)
                    then error('shared_load: each load needs a substation_id, and an mw of 0 or more')
                else item.mw
            end
        ) as mw
    from given
    group by item.substation_id
),

placed as (
    select
        load.substation_id,
        case
            when substation.substation_id is null
                then error('shared_load: there is no substation ' || load.substation_id)
            else load.mw
        end as mw,
        substation.substation_name,
        substation.headroom_mw_mid,
        substation.interconnect,
        substation.method = 'load_flow' as has_flows,
        substation.reserve_interconnection_mw
    from load
    left join mart.substation as substation on load.substation_id = substation.substation_id
),

judged as (
    select
        'branch' as limit_kind,
        constrained.branch_text
        || coalesce(' after the outage of ' || constrained.outage_text, ' with all in service') as limit_text,
        constrained.constraint_no,
        list(placed.substation_id order by placed.substation_id) as substation_ids,
        sum(leaning.mw_per_mw * placed.mw) as added_mw,
        constrained.margin_mw
    from placed
    inner join mart.power_constraint_substation as leaning on placed.substation_id = leaning.substation_id
    inner join mart.power_constraint as constrained on leaning.constraint_no = constrained.constraint_no
    where placed.has_flows
    group by all
    union all by name
    select
        'generation' as limit_kind,
        'committed firm units of the ' || interconnect || ' interconnection' as limit_text,
        list(substation_id order by substation_id) as substation_ids,
        sum(mw) as added_mw,
        max(reserve_interconnection_mw) as margin_mw
    from placed
    where has_flows and interconnect is not null
    group by interconnect
    union all by name
    select
        'substation' as limit_kind,
        'what ' || coalesce(substation_name, substation_id) || ' can host alone' as limit_text,
        [substation_id] as substation_ids,
        mw as added_mw,
        headroom_mw_mid as margin_mw
    from placed
)

select
    limit_kind,
    limit_text,
    constraint_no,
    substation_ids,
    added_mw,
    margin_mw,
    margin_mw - added_mw as left_mw,
    -- To the kilowatt: what a substation can host alone is exactly what is left of its first limit.
    margin_mw - added_mw < -0.001 as is_broken
from judged
order by left_mw nulls last, limit_kind, constraint_no, limit_text;
comment on macro table mart.shared_load is
'What loads at several substations at once leave of every limit that they share, the fullest first; is_broken says which they overload: from mart.shared_load([{''substation_id'': ''a'', ''mw'': 100}, {''substation_id'': ''b'', ''mw'': 50}]). margin_mw is what was left before, added_mw what the loads add. Limits are those of mart.power_constraint, the generation of the interconnection, and what each substation can host alone; without a load flow only the last are known. In an attached build, USE it first';
