-- severity: warn
-- description: no more than one substation in twenty of an interconnection can serve nothing
select
    interconnect,
    count(*) as substation_count,
    avg((headroom_mw_mid <= 0)::integer) as zero_share
from mart.substation
where headroom_mw_mid is not null and method = 'load_flow'
group by interconnect
having avg((headroom_mw_mid <= 0)::integer) > 0.05;
