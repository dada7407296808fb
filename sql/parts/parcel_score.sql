create view parts.parcel_score as
select
    workload,
    parcel_id,
    low / 1e9 as score,
    low / 1e9 as score_low,
    (low + unknown) / 1e9 as score_high,
    gate_status,
    gates_failed,
    gates_unknown,
    factors_unknown,
    parse_filename(filename, true) as piece
from read_parquet(coalesce(getvariable('parts_reader'), '') || $folder || '/*[0-9].parquet', filename = true);
comment on view parts.parcel_score is
'Score and gates of all parcels that were measured in parts, for every workload; parts.parcel_rank has their ranks';
comment on column parts.parcel_score.piece is 'Piece that holds it, as in meta.partition; a condition on it reads no other file';
