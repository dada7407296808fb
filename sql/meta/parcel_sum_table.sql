-- What the score of a parcel is made of; filled for ranges of parcels, so that memory holds a few.
create table staging.parcel_sum (
    workload varchar,
    parcel_no bigint,
    low bigint,
    unknown bigint,
    factors_unknown varchar[],
    gates_failed varchar[],
    gates_unknown varchar[]
);
