-- What the scores of the parcels are made of that a build keeps, and their ranks among all.
insert into staging.parcel_sum by name
select
    score.workload,
    parcel.parcel_no,
    score.low,
    score.unknown,
    case when len(score.factors_unknown) > 0 then score.factors_unknown end as factors_unknown,
    case when len(score.gates_failed) > 0 then score.gates_failed end as gates_failed,
    case when len(score.gates_unknown) > 0 then score.gates_unknown end as gates_unknown,
    score.rank as given_rank
from read_parquet($score_path) as score
inner join core.parcel using (parcel_id);
