create view parts.parcel_metric as
select
    * exclude (known_count, filename),
    known_count / (select metric_count from meta.parts where part_kind = 'parcel_metric')::double as known_share,
    parse_filename(filename, true) as piece
from read_parquet(coalesce(getvariable('parts_reader'), '') || $folder || '/*[0-9].parquet', filename = true);
comment on view parts.parcel_metric is
'The metrics of all parcels that were measured in parts, and where each lies; core.parcel_metric holds those that the build keeps in full';
comment on column parts.parcel_metric.zone_id is 'Grid zone of the nearest grid point of its state';
comment on column parts.parcel_metric.region_metro_id is 'Metro region it belongs to; NULL outside of all';
comment on column parts.parcel_metric.parcel_name is 'Where it is, in words: miles and direction from the nearest place';
comment on column parts.parcel_metric.piece is 'Piece that holds it, as in meta.partition; a condition on it reads no other file';
