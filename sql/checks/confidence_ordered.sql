-- severity: error
-- description: shares of draws lie in 0 to 1 with the first 10 among the first 100, and intervals of ranks are in order
with told as (
    select
        workload,
        parcel_id as id,
        * exclude (workload, parcel_id, parcel_no)
    from mart.parcel_confidence
    union all by name
    select
        workload,
        region_kind || ' ' || region_id as id,
        * exclude (workload, region_kind, region_id)
    from mart.region_confidence
)

select
    workload,
    id,
    p_top10,
    p_top100,
    p_ranked,
    rank_p05,
    rank_p50,
    rank_p95
from told
where
    (p_top10 >= 0 and p_top10 <= p_top100 and p_top100 <= p_ranked and p_ranked <= 1) is not true
    or rank_p05 < 1
    or rank_p05 > coalesce(rank_p50, rank_p05)
    or (rank_p50 is not null and rank_p05 is null)
    or rank_p50 > coalesce(rank_p95, rank_p50)
    or (rank_p95 is not null and rank_p50 is null);
