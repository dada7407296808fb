-- severity: error
-- description: every substation that feeds a parcel is listed
select parcel_id, headroom_substation_id
from core.parcel_metric
where
    headroom_substation_id is not null
    and headroom_substation_id not in (select substation_id from mart.substation);
