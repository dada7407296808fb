create view parts.parcel_rank as
select
    parse_filename(filename, true) as workload,
    rank,
    parcel_id,
    piece,
    score,
    score_high,
    gate_status
from read_parquet(coalesce(getvariable('parts_reader'), '') || $folder || '/*.parquet', filename = true);
comment on view parts.parcel_rank is
'Ranks of all parcels that were measured in parts and fail no gate, for every workload; a condition on workload reads no other file';
comment on column parts.parcel_rank.piece is 'Piece that holds the parcel, as in meta.partition';
