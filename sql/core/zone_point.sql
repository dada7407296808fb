create table core.zone_point (
    zone_id varchar,
    state_id varchar,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.zone_point is 'Points that tell a parcel''s grid zone: it is the zone of the nearest point, of its own state where there is one';
comment on column core.zone_point.zone_id is 'Zone';
comment on column core.zone_point.state_id is 'State of the point, USPS code';
comment on column core.zone_point.lon is 'Longitude, degrees';
comment on column core.zone_point.lat is 'Latitude, degrees';
comment on column core.zone_point.source_id is 'Catalogue id of the source the row comes from';

insert into core.zone_point by name
select
    zone_id,
    state_id,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by zone_id, lon, lat;
