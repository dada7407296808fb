create table staging.region_parcel as select * from read_parquet($region_parcel_path);
