insert into meta.workload_parcel by name
select * from read_parquet($workload_parcel_path)
order by workload;
