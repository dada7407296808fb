select * from core.parcel_metric where parcel_id = $parcel_id;
