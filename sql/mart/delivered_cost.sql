create macro mart.delivered_cost(workload_id, mw := null, usd_per_mwh := null) as table
with choice as (
    select
        coalesce(mw, any_value(design_mw)) as size_mw,
        coalesce(usd_per_mwh, any_value(profile.usd_per_mwh)) as price,
        any_value(load_factor) as load_factor,
        any_value(watt_hours_per_query) as watt_hours,
        case
            when count(*) = 0 then error('delivered_cost: there is no workload ' || workload_id)
            when coalesce(mw, 1) <= 0 or coalesce(usd_per_mwh, 1) <= 0
                then error('delivered_cost: mw and usd_per_mwh must be above 0')
            else any_value(objective)
        end as objective
    from meta.workload as profile
    where workload = workload_id
),

-- Each parameter at the three ends of the cost; what makes a cost fall is taken from the other end.
ended as (
    select
        unnest([1, 2, 3]) as end_no,
        name,
        at_x,
        unnest([low, mid, high]) as value,
        unnest([high, mid, low]) as turned
    from meta.cost_rule
),

given as (
    select
        end_no,
        any_value(value) filter (where name = 'discount_rate_per_year') as rate,
        any_value(value) filter (where name = 'life_years') as life_years,
        any_value(turned) filter (where name = 'training_load_factor') as training_load_factor,
        any_value(turned) filter (where name = 'inference_load_factor') as inference_load_factor,
        any_value(value) filter (where name = 'industrial_price_factor') as price_factor,
        any_value(value) filter (where name = 'line_route_factor') as line_route_factor,
        any_value(value) filter (where name = 'tie_line_cost_factor') as tie_factor,
        any_value(value) filter (where name = 'fiber_usd_per_mi') as fiber_usd_per_mi,
        any_value(value) filter (where name = 'fiber_reach_mi') as reach_mi,
        any_value(value) filter (where name = 'fiber_farthest_mi') as farthest_mi,
        any_value(value) filter (where name = 'acres_per_mw') as acres_per_mw,
        any_value(value) filter (where name = 'land_value_factor') as land_factor,
        any_value(value) filter (where name = 'land_unknown_usd_per_acre') as land_unknown,
        any_value(value) filter (where name = 'slope_unknown_pct') as slope_unknown,
        any_value(value) filter (where name = 'shell_usd_per_mw') as shell_usd_per_mw,
        any_value(value) filter (where name = 'shell_ai_factor') as shell_ai_factor,
        any_value(value) filter (where name = 'committed_share') as committed_share,
        any_value(value) filter (where name = 'time_equipment_years') as equipment_years,
        any_value(value) filter (where name = 'large_load_mw') as large_load_mw,
        any_value(value) filter (where name = 'time_study_years') as study_years,
        any_value(value) filter (where name = 'time_base_kv') as base_kv,
        any_value(value) filter (where name = 'time_years_per_doubling') as years_per_doubling,
        any_value(value) filter (where name = 'time_years_per_mi') as years_per_mi,
        any_value(value) filter (where name = 'time_queue_years') as queue_years,
        any_value(value) filter (where name = 'queue_half_mw') as queue_half_mw,
        any_value(value) filter (where name = 'queue_counties') as queue_counties,
        any_value(turned) filter (where name = 'build_years') as build_years,
        any_value(value) filter (where name = 'gpu_kw') as gpu_kw,
        any_value(value) filter (where name = 'gpu_usd') as gpu_usd,
        any_value(value) filter (where name = 'gpu_life_years') as gpu_life_years,
        any_value(turned) filter (where name = 'gpu_utilisation') as gpu_utilisation,
        any_value(value) filter (where name = 'wh_per_query') as wh_per_query,
        case end_no
            when 1 then min(value) filter (where name = 'pue')
            when 2 then avg(value) filter (where name = 'pue')
            else max(value) filter (where name = 'pue')
        end as pue_unknown
    from ended
    group by end_no
),

-- Curves as straight pieces, flat outside: the piece before the first point has no slope.
sloped as (
    select
        end_no,
        name,
        at_x,
        value,
        coalesce((lead(value) over piece - value) / (lead(at_x) over piece - at_x), 0) as slope,
        lag(at_x) over piece is null as is_first,
        coalesce(lead(at_x) over piece, 1e300) as to_x
    from ended
    where name in ('pue', 'site_works_usd_per_acre')
    window piece as (partition by name, end_no order by at_x)
),

rule as (
    select
        given.*,
        unknown.value + unknown.slope * (greatest(given.slope_unknown, unknown.at_x) - unknown.at_x) as works_unknown
    from given
    inner join sloped as unknown
        on
            given.end_no = unknown.end_no
            and unknown.name = 'site_works_usd_per_acre'
            and (given.slope_unknown >= unknown.at_x or unknown.is_first)
            and given.slope_unknown < unknown.to_x
),

-- A voltage counts as the class nearest by ratio.
class as (
    select
        end_no,
        at_x as kv,
        any_value(value) filter (where name = 'line_usd_per_mi') as line_usd_per_mi,
        any_value(value) filter (where name = 'substation_usd') as substation_usd,
        any_value(value) filter (where name = 'circuit_mva') as circuit_mva
    from ended
    where name in ('line_usd_per_mi', 'substation_usd', 'circuit_mva')
    group by end_no, at_x
),

bounded as (
    select
        *,
        coalesce(sqrt(kv * lag(kv) over (partition by end_no order by kv)), 0) as above_kv,
        coalesce(sqrt(kv * lead(kv) over (partition by end_no order by kv)), 1e300) as to_kv
    from class
),

parcel as (
    select
        metric.parcel_id,
        metric.tie_line_kv,
        metric.tie_line_mi,
        metric.tie_line_mi / 1.3 as straight_mi,
        case when metric.deliverable_mw > 0 then least(metric.deliverable_mw, choice.size_mw) end as cost_mw,
        coalesce(choice.price, metric.industrial_usd_per_mwh) as price,
        choice.price is not null as is_price_given,
        metric.cooling_degree_days_65f as degree_days,
        metric.slope_mean_pct as slope_pct,
        metric.land_value_usd_per_acre as land_value,
        metric.generation_queue_mw as queue_mw,
        metric.lit_node_mi as lit_mi,
        metric.diverse_node_mi as diverse_mi,
        coalesce(metric.rtt_unknown_reason like 'no connected node%', false) as is_beyond,
        choice.objective,
        choice.load_factor,
        choice.watt_hours
    from core.parcel_metric as metric
    cross join choice
),

priced as (
    select
        parcel.*,
        rule.*,
        parcel.straight_mi * case
            when parcel.straight_mi < 3 then 1.5 when parcel.straight_mi <= 10 then 1.2 else 1
        end as priced_mi,
        case
            when parcel.degree_days is null then rule.pue_unknown
            else pue.value + pue.slope * (greatest(parcel.degree_days, pue.at_x) - pue.at_x)
        end as pue,
        case
            when parcel.slope_pct is null then rule.works_unknown
            else works.value + works.slope * (greatest(parcel.slope_pct, works.at_x) - works.at_x)
        end as works_usd_per_acre,
        bounded.line_usd_per_mi,
        bounded.substation_usd,
        greatest(ceil(parcel.cost_mw / bounded.circuit_mva), 1) as circuits,
        [rule.reach_mi, (rule.reach_mi + rule.farthest_mi) / 2, rule.farthest_mi][rule.end_no] as beyond_mi,
        coalesce(parcel.load_factor, case parcel.objective
            when 'training' then rule.training_load_factor else rule.inference_load_factor
        end) as load_factor_used,
        case parcel.objective
            when 'training' then 1 else coalesce(parcel.watt_hours, rule.wh_per_query)
        end as mwh_per_unit
    from parcel
    cross join rule
    left join bounded
        on
            rule.end_no = bounded.end_no
            and parcel.tie_line_kv > bounded.above_kv and parcel.tie_line_kv <= bounded.to_kv
    left join sloped as pue
        on
            rule.end_no = pue.end_no and pue.name = 'pue'
            and (parcel.degree_days >= pue.at_x or pue.is_first) and parcel.degree_days < pue.to_x
    left join sloped as works
        on
            rule.end_no = works.end_no and works.name = 'site_works_usd_per_acre'
            and (parcel.slope_pct >= works.at_x or works.is_first) and parcel.slope_pct < works.to_x
),

built as (
    select
        *,
        cost_mw / pue as it_mw,
        cost_mw / pue * 8760 * load_factor_used as mwh_per_year,
        rate * pow(1 + rate, life_years) / (pow(1 + rate, life_years) - 1) as crf,
        rate * pow(1 + rate, gpu_life_years) / (pow(1 + rate, gpu_life_years) - 1) as gpu_crf,
        circuits * line_usd_per_mi * tie_factor * line_route_factor * priced_mi as line_usd,
        case when priced_mi is not null and cost_mw is not null then substation_usd * tie_factor end as end_usd,
        coalesce(lit_mi, case when is_beyond then beyond_mi end) * fiber_usd_per_mi as lit_usd,
        coalesce(diverse_mi, case when is_beyond or lit_mi is not null then beyond_mi end)
        * fiber_usd_per_mi as diverse_usd,
        cost_mw * acres_per_mw * coalesce(land_value * land_factor, land_unknown) as land_usd,
        cost_mw * acres_per_mw * works_usd_per_acre as works_usd,
        cost_mw / pue * shell_usd_per_mw * shell_ai_factor as shell_usd,
        -- greatest() passes over NULL.
        case when cost_mw is not null and tie_line_kv is not null then
            equipment_years
            + case when cost_mw >= large_load_mw then study_years else 0 end
            + log2(greatest(tie_line_kv, base_kv) / base_kv) * years_per_doubling
            + tie_line_mi * years_per_mi
            + queue_years * coalesce(
                queue_mw / queue_counties / (queue_mw / queue_counties + queue_half_mw), (end_no - 1) / 2
            )
        end as power_years
    from priced
),

told as (
    select
        parcel_id,
        objective,
        end_no,
        cost_mw,
        power_years,
        price * case when is_price_given then 1 else price_factor end * pue * mwh_per_unit as energy,
        line_usd * crf / mwh_per_year * mwh_per_unit as tie_line,
        end_usd * crf / mwh_per_year * mwh_per_unit as substation,
        lit_usd * crf / mwh_per_year * mwh_per_unit as fiber_lit,
        diverse_usd * crf / mwh_per_year * mwh_per_unit as fiber_diverse,
        land_usd * crf / mwh_per_year * mwh_per_unit as land,
        works_usd * crf / mwh_per_year * mwh_per_unit as site_works,
        case when objective = 'training' and power_years is not null then
            shell_usd * committed_share * (pow(1 + rate, greatest(power_years - build_years, 0)) - 1)
            * crf / mwh_per_year
        end as delay,
        case when objective <> 'training' then
            shell_usd * crf / mwh_per_year * mwh_per_unit
        end as shell,
        case when objective <> 'training' and cost_mw is not null then
            gpu_usd * gpu_crf / (gpu_kw / 1000 * 8760 * load_factor_used) * mwh_per_unit
        end as servers,
        -- With shell and the GPU itself, by the hour in which it works.
        case when objective = 'training' then
            (shell_usd * crf / mwh_per_year + gpu_usd * gpu_crf / (gpu_kw / 1000 * 8760 * load_factor_used))
        end as beside_usd_per_mwh,
        gpu_kw / 1000 * load_factor_used / gpu_utilisation as mwh_per_gpu_h,
        case when line_usd is not null and end_usd is not null then
            (
                line_usd + end_usd + coalesce(lit_usd, 0) + coalesce(diverse_usd, 0)
                + coalesce(land_usd, 0) + coalesce(works_usd, 0)
            ) / 1e6
        end as capital_musd
    from built
)

select
    parcel_id,
    ['low', 'mid', 'high'][end_no] as bound,
    case objective when 'training' then 'delivered_usd_per_mwh' else 'usd_per_million_queries' end as objective,
    cost_mw,
    case when energy is not null and tie_line is not null and substation is not null then
        energy + tie_line + substation + coalesce(fiber_lit, 0) + coalesce(fiber_diverse, 0) + coalesce(land, 0)
        + coalesce(site_works, 0) + coalesce(delay, 0) + coalesce(shell, 0) + coalesce(servers, 0)
    end as total,
    energy,
    tie_line,
    substation,
    fiber_lit,
    fiber_diverse,
    land,
    site_works,
    delay,
    shell,
    servers,
    capital_musd,
    power_years as time_to_power_years,
    (total + beside_usd_per_mwh) * mwh_per_gpu_h as usd_per_gpu_h
from told;
comment on macro table mart.delivered_cost is
'Costs with their terms, three rows a parcel (bound: low, mid, high), at another size or price of energy: from mart.delivered_cost(''training'', mw := 500, usd_per_mwh := 45) where bound = ''mid'' order by total. Terms are in the unit of objective; one that is NULL is unknown, or none of the workload, and not in total. usd_per_gpu_h is what an hour of a working GPU costs with shell and GPU, for training. In an attached build, USE it first';
