select industrial_usd_per_mwh
from core.parcel_metric
where industrial_usd_per_mwh is not null
order by industrial_usd_per_mwh;
