-- Parcels that a build keeps in full, with the piece that holds each: the first of each workload, and the best parcel
-- of each region at each substation, so that regions are filled as from all parcels.
select distinct
    piece,
    parcel_id
from (
    select
        piece,
        parcel_id
    from read_parquet($rank_paths)
    where rank <= $most
    union all
    (
        select
            split_part(parse_filename(filename), '.', 1) as piece,
            parcel_id
        from read_parquet($best_paths, filename = true)
        qualify row_number() over (
            partition by workload, region_kind, region_id, substation_id
            order by gate_status = 'unknown', score desc, parcel_id
        ) = 1
    )
)
order by piece, parcel_id;
