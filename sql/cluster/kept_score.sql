-- Scores of the parcels that a build keeps, with their ranks among all.
select
    score.*,
    ranked.rank
from read_parquet($score_path) as score
left join read_parquet($rank_paths, filename = true) as ranked
    on score.workload = parse_filename(ranked.filename, true) and score.parcel_id = ranked.parcel_id
order by score.workload, ranked.rank nulls last, score.parcel_id;
