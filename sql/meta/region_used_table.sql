-- What each candidate of a region was granted; filled from the load flow.
create table staging.region_used (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    candidate_no bigint,
    used_mw double,
    shared_mw double
);
