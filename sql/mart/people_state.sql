create table mart.people_state (
    state_id varchar,
    method varchar,
    source_people double,
    scale_factor double,
    people double,
    point_count bigint,
    census_people bigint,
    covered_share double
);
comment on table mart.people_state is
'People around parcels by state: as their source counts them, as they are used, and as the census does';
comment on column mart.people_state.state_id is 'USPS code; NULL for what lies in no state';
comment on column mart.people_state.method is
'As in core.people, or raster_cell; raster_outside for cells of a raster in no state, which are read and not used';
comment on column mart.people_state.source_people is 'People as the raster or the layer people counts them';
comment on column mart.people_state.scale_factor is
'What they are multiplied by: 1 unless a raster is scaled to the census; 0 for those not used';
comment on column mart.people_state.people is 'People that are counted around parcels';
comment on column mart.people_state.point_count is 'Points or cells that they stand at';
comment on column mart.people_state.census_people is 'People (census); NULL when unknown';
comment on column mart.people_state.covered_share is
'Share of the state within the bounds of the raster; people around parcels that reach beyond are unknown';

insert into mart.people_state by name
select
    state_id::varchar as state_id,
    method::varchar as method,
    source_people::double as source_people,
    scale_factor::double as scale_factor,
    people::double as people,
    point_count::bigint as point_count,
    case when not isnan(census_people::double) then census_people::bigint end as census_people,
    covered_share::double as covered_share
from read_parquet($people_state_path)
order by state_id, method;
