select geometry from core.parcel order by parcel_no;
