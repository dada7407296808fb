create table core.climate_point (
    heating_degree_days_65f double,
    cooling_degree_days_65f double,
    lon double,
    lat double,
    source_id varchar
);
comment on table core.climate_point is 'Degree-day normals at points';
comment on column core.climate_point.heating_degree_days_65f is 'Heating degree days a year';
comment on column core.climate_point.cooling_degree_days_65f is 'Cooling degree days a year';
comment on column core.climate_point.lon is 'Longitude, degrees';
comment on column core.climate_point.lat is 'Latitude, degrees';
comment on column core.climate_point.source_id is 'Catalogue id of the source the row comes from';

insert into core.climate_point by name
select
    heating_degree_days_65f,
    cooling_degree_days_65f,
    lon,
    lat,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by lon, lat;
