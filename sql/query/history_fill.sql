select
    region_kind,
    region_id,
    fill_no,
    parcel_no::integer as parcel_no,
    substation_id,
    round(used_mw * 1000)::bigint as used_kw,
    round(score * 1e9)::bigint as score_units
from mart.region_fill
where workload = $workload
order by region_kind, region_id, fill_no;
