-- severity: error
-- description: a substation serves no more after an outage than with all in service
select substation_id, headroom_mw_mid, headroom_n0_mw
from mart.substation
where headroom_mw_mid > headroom_n0_mw + 1e-6;
