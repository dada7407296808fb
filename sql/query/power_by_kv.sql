with known as (
    select * from mart.substation
    where headroom_mw_mid is not null and connect_kv > 0
),

-- Nearest by ratio: 236 kV counts as 230, 287 as 345.
classed as (
    select
        known.*,
        level.kv
    from known
    cross join (select unnest([69, 115, 138, 161, 230, 345, 500, 765]) as kv) as level
    qualify row_number() over (partition by known.substation_id order by abs(ln(known.connect_kv / level.kv)), level.kv) = 1
)

select
    kv,
    count(*) as substation_count,
    median(headroom_n0_mw) as median_n0_mw,
    median(headroom_mw_low) as median_low_mw,
    median(headroom_mw_mid) as median_mid_mw,
    median(headroom_mw_high) as median_high_mw,
    avg((headroom_mw_mid <= 0)::integer) as zero_share
from classed
group by kv
order by kv;
