create view parts.parcel as
select
    parcel_id,
    parcel_kind,
    lon,
    lat,
    county_id,
    state_id,
    area_acres,
    land_share,
    parcel_partition,
    parse_filename(filename, true) as piece,
    geometry
from read_parquet(coalesce(getvariable('parts_reader'), '') || $folder || '/*[0-9].parquet', filename = true);
comment on view parts.parcel is
'All parcels that were measured in parts, with their outlines; core.parcel holds those of them that the build keeps in full';
comment on column parts.parcel.piece is 'Piece that holds it, as in meta.partition; a condition on it reads no other file';
