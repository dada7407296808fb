-- Parcels and acres of every region, of all pieces.
select
    region_kind,
    region_id,
    sum(parcel_count)::bigint as parcel_count,
    sum(area_acres)::decimal(38, 3) as area_acres
from read_parquet($region_paths)
group by region_kind, region_id
order by region_kind, region_id;
