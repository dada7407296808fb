-- Parcels of files in the order in which they are measured: neighbours along a Hilbert curve.
set temp_directory = $spill;
set memory_limit = '2GB';
copy (
    select
        * exclude (hilbert_key, geometry),
        st_setcrs(st_geomfromwkb(geometry), 'OGC:CRS84') as geometry
    from read_parquet($unsorted)
    order by hilbert_key, parcel_id
) to $target (format parquet, compression zstd, row_group_size 65536);
