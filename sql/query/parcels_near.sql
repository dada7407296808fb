select parcel_id, geometry
from core.parcel
where lon between $lon - $reach and $lon + $reach and lat between $lat - $reach and $lat + $reach
order by parcel_id;
