-- severity: error
-- description: no megawatt of a substation is endless or no number
select substation_id, headroom_mw_mid, headroom_mw_high, headroom_n0_mw
from mart.substation
where
    not isfinite(headroom_mw_low)
    or not isfinite(headroom_mw_mid)
    or not isfinite(headroom_mw_high)
    or not isfinite(headroom_n0_mw)
    or not isfinite(flexible_100_mw_high);
