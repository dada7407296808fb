create table meta.raw_table (
    theme varchar,
    source_id varchar,
    raw_table varchar,
    file varchar,
    rows_read bigint
);
comment on table meta.raw_table is 'Every table that was read, and where from';
comment on column meta.raw_table.theme is 'Theme that read it';
comment on column meta.raw_table.source_id is 'Catalogue id of the source';
comment on column meta.raw_table.raw_table is 'Table';
comment on column meta.raw_table.file is 'File, and member of the archive';
comment on column meta.raw_table.rows_read is 'Rows in the file';

create table meta.raw_column (
    source_id varchar,
    raw_table varchar,
    column_no integer,
    column_name varchar,
    column_kind varchar,
    known_share double,
    number_share double
);
comment on table meta.raw_column is 'Columns of every table that was read from a source, so that the next run can tell what changed';
comment on column meta.raw_column.source_id is 'Catalogue id of the source';
comment on column meta.raw_column.raw_table is 'Table';
comment on column meta.raw_column.column_no is 'Place of the column in its file, from 1';
comment on column meta.raw_column.column_name is 'Name of the column in its file';
comment on column meta.raw_column.column_kind is
'number, text, boolean, time, binary (a geometry), nested, or empty where the file gives no type';
comment on column meta.raw_column.known_share is 'Share of the rows that have a value; NULL when there is no row';
comment on column meta.raw_column.number_share is 'Share of the known values that are or read as a number; NULL when none is known';

create table meta.source_check (
    source_id varchar,
    raw_table varchar,
    check_name varchar,
    severity varchar,
    description varchar,
    offending_count bigint,
    examples varchar[]
);
comment on table meta.source_check is 'What the catalogue expects of the columns of a table that was read, and whether it is so';
comment on column meta.source_check.source_id is 'Catalogue id of the source';
comment on column meta.source_check.raw_table is 'Table';
comment on column meta.source_check.check_name is 'Table, column and kind of the expectation';
comment on column meta.source_check.severity is 'error, warn or info';
comment on column meta.source_check.description is 'What is expected';
comment on column meta.source_check.offending_count is 'Values or rows that offend; 0 is good';
comment on column meta.source_check.examples is 'The first of them';

create table meta.source_limit (
    source_id varchar,
    raw_table varchar,
    limit_name varchar,
    at_most double,
    severity varchar
);
comment on table meta.source_limit is 'Limits that the catalogue sets for a table in place of the usual ones';
comment on column meta.source_limit.source_id is 'Catalogue id of the source';
comment on column meta.source_limit.raw_table is 'Table';
comment on column meta.source_limit.limit_name is
'fell_by_at_most, rose_by_at_most (against the last build), outside_at_most or invalid_at_most (rows set aside)';
comment on column meta.source_limit.at_most is 'Largest share of rows that is let pass';
comment on column meta.source_limit.severity is 'error, warn or info';

-- Takes part in every count of points, so that objects without coordinates have none.
create table meta.staged_place (
    lon double,
    lat double
);
comment on table meta.staged_place is 'Always empty: the coordinates that a staging object of points carries';
comment on column meta.staged_place.lon is 'Longitude, degrees';
comment on column meta.staged_place.lat is 'Latitude, degrees';

create table meta.staged_point (
    raw_table varchar,
    layer varchar,
    point_count bigint,
    inside_count bigint,
    swapped_count bigint,
    swapped_row bigint,
    null_island_count bigint,
    null_island_row bigint
);
comment on table meta.staged_point is 'Where the points of a table lie, those that are not loaded among them';
comment on column meta.staged_point.raw_table is 'Raw table the points were read into';
comment on column meta.staged_point.layer is 'Canonical layer it fills';
comment on column meta.staged_point.point_count is 'Rows with coordinates';
comment on column meta.staged_point.inside_count is 'Of them, those in the box of the 48 states';
comment on column meta.staged_point.swapped_count is 'Of the others, those that lie in it with latitude and longitude swapped';
comment on column meta.staged_point.swapped_row is 'The first of them: number of the data row, from 1';
comment on column meta.staged_point.null_island_count is 'Of the others, those at 0 degrees of both';
comment on column meta.staged_point.null_island_row is 'The first of them: number of the data row, from 1';
