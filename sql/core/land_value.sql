create table core.land_value (
    land_value_usd_per_acre double,
    cell_km double,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.land_value is 'Land values at cell centres';
comment on column core.land_value.land_value_usd_per_acre is 'Fair market value, $ an acre';
comment on column core.land_value.cell_km is 'Side of the cell, km';
comment on column core.land_value.lon is 'Longitude, degrees';
comment on column core.land_value.lat is 'Latitude, degrees';
comment on column core.land_value.source_id is 'Catalogue id of the source the row comes from';

insert into core.land_value by name
select
    land_value_usd_per_acre,
    cell_km,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by lon, lat;
