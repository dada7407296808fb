select
    case_name,
    median_mw,
    zero_share,
    rank_correlation
from meta.power_sensitivity
where interconnect is null and kv_class is null and case_name not like '% at %'
order by case_name <> 'mid', abs(median_mw - max(median_mw) filter (where case_name = 'mid') over ()) desc, case_name;
