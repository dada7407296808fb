-- severity: error
-- description: the headroom of a substation is known at all ends or at none, and rises from low to high from 0 on
select substation_id, headroom_mw_low, headroom_mw_mid, headroom_mw_high
from mart.substation
where
    (headroom_mw_low >= 0 and headroom_mw_low <= headroom_mw_mid and headroom_mw_mid <= headroom_mw_high) is false
    or (headroom_mw_mid is null) <> (headroom_mw_low is null)
    or (headroom_mw_mid is null) <> (headroom_mw_high is null)
    or (flexible_025_mw_low > flexible_025_mw_mid or flexible_025_mw_mid > flexible_025_mw_high)
    or (flexible_025_mw_mid > flexible_100_mw_mid + 1e-6);
