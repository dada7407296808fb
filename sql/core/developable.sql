create table core.developable (
    state_id varchar,
    lon double,
    lat double,
    cell_km double,
    developable_share double,
    source_id varchar
);
comment on table core.developable is 'Grid of land cells and the share of each that can be developed; a cell that is missing within a covered state has none';
comment on column core.developable.state_id is 'USPS code';
comment on column core.developable.lon is 'Longitude of the cell''s centre';
comment on column core.developable.lat is 'Latitude of the cell''s centre';
comment on column core.developable.cell_km is 'Side of the cell, km';
comment on column core.developable.developable_share is 'Share of the cell that can be developed, 0 to 1';
comment on column core.developable.source_id is 'Catalogue id of the source the row comes from';

insert into core.developable by name
select
    state_id,
    lon,
    lat,
    cell_km,
    developable_share,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by cell_km, lon, lat;
