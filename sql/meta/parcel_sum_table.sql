-- What the score of a parcel is made of; filled for ranges of parcels, so that memory holds a few.
create table staging.parcel_sum (
    workload varchar,
    parcel_no bigint,
    low bigint,
    unknown bigint,
    factors_unknown varchar[],
    gates_failed varchar[],
    gates_unknown varchar[],
    -- Among all parcels of a study measured in parts, of which this build keeps some; NULL where it holds all itself.
    given_rank bigint
);
