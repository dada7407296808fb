create table staging.region_gate as select * from read_parquet($region_gate_path);
