create table core.parcel (
    parcel_no bigint,
    parcel_id varchar primary key,
    parcel_kind varchar,
    parcel_name varchar,
    lon double,
    lat double,
    county_id varchar,
    state_id varchar,
    zone_id varchar,
    metro_id varchar,
    area_acres double,
    land_share double,
    parcel_partition varchar,
    geometry geometry('OGC:CRS84')
);
comment on table core.parcel is 'Units of land that are ranked';
comment on column core.parcel.parcel_no is 'Position of the parcel in the order of ids, from 0; a compact key inside this build';
comment on column core.parcel.parcel_id is 'H3 index of the cell, or the id of the assessors parcel';
comment on column core.parcel.parcel_kind is 'h3_cell or assessor';
comment on column core.parcel.parcel_name is 'Where it is, in words: miles and direction from the nearest place';
comment on column core.parcel.lon is 'Longitude of its centroid, or of a point of its land where the centroid lies outside';
comment on column core.parcel.lat is 'Latitude of the same point';
comment on column core.parcel.county_id is 'County with most of it';
comment on column core.parcel.state_id is 'State, USPS code';
comment on column core.parcel.zone_id is 'Grid zone of the nearest grid point of its state';
comment on column core.parcel.metro_id is 'Metro region it belongs to; NULL outside of all';
comment on column core.parcel.area_acres is 'Acres of its geometry';
comment on column core.parcel.land_share is 'Share of the cell that is land; NULL for assessor parcels';
comment on column core.parcel.parcel_partition is 'H3 cell of resolution 2 that holds it';
comment on column core.parcel.geometry is 'Polygon, clipped to land';

insert into core.parcel by name
select
    row_number() over (order by divided.parcel_id) - 1 as parcel_no,
    divided.parcel_id,
    divided.parcel_kind,
    located.parcel_name,
    divided.lon,
    divided.lat,
    divided.county_id,
    divided.state_id,
    located.zone_id,
    located.region_metro_id as metro_id,
    divided.area_acres,
    divided.land_share,
    divided.parcel_partition,
    divided.geometry
from read_parquet($parcel_path) as divided
inner join read_parquet($metric_path) as located using (parcel_id)
order by divided.parcel_id;
