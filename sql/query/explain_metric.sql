select * from core.parcel_metric where parcel_id in (select unnest($parcel_ids::varchar[]));
