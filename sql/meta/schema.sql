create schema if not exists raw;
create schema if not exists staging;
create schema if not exists core;
create schema if not exists mart;
create schema if not exists meta;

-- Columns that every staging object carries beside those of its layer.
create table meta.staging_row (
    raw_table varchar,
    raw_member varchar,
    raw_row bigint,
    reject_code varchar,
    reject_reason varchar
);
comment on table meta.staging_row is 'Always empty: the columns that every staging object carries beside those of its layer';
comment on column meta.staging_row.raw_table is 'Raw table the row was read into; NULL when it is derived';
comment on column meta.staging_row.raw_member is 'Member of the archive, where several were read into one table';
comment on column meta.staging_row.raw_row is 'Number of the data row, from 1';
comment on column meta.staging_row.reject_code is 'As in meta.rejected_row, or merged; NULL when the row is loaded';
comment on column meta.staging_row.reject_reason is 'Why the row is not loaded';

-- Rows that a layer refused although their staging object let them pass: no key, or a key that is taken.
create table meta.refused_row (
    layer varchar,
    raw_table varchar,
    raw_member varchar,
    raw_row bigint,
    reject_code varchar,
    reject_reason varchar
);
comment on table meta.refused_row is 'Rows without a key, or with one that an earlier row holds; they stand in meta.rejected_row too';
comment on column meta.refused_row.layer is 'Layer that refused the row';
comment on column meta.refused_row.raw_table is 'Raw table';
comment on column meta.refused_row.raw_member is 'Member of the archive; NULL where there is one';
comment on column meta.refused_row.raw_row is 'Number of the data row, from 1';
comment on column meta.refused_row.reject_code is 'duplicate or invalid';
comment on column meta.refused_row.reject_reason is 'Why';

create table meta.rejected_row (
    source_id varchar,
    raw_table varchar,
    file varchar,
    raw_row bigint,
    reject_code varchar,
    reason varchar
);
comment on table meta.rejected_row is 'Every raw row that was read and not loaded, with its file, row and reason';
comment on column meta.rejected_row.source_id is 'Catalogue id of the source';
comment on column meta.rejected_row.raw_table is 'Raw table the row was read into';
comment on column meta.rejected_row.file is 'File, and member of the archive, that the row stands in';
comment on column meta.rejected_row.raw_row is 'Number of the data row in that file, from 1';
comment on column meta.rejected_row.reject_code is
'outside_area, invalid, duplicate, not_in_service, not_data, not_used or measure_failed';
comment on column meta.rejected_row.reason is 'Why the row was not loaded, in one sentence';

create table meta.source_load (
    theme varchar,
    source_id varchar,
    raw_table varchar,
    layer varchar,
    rows_read bigint,
    rows_loaded bigint,
    rows_merged bigint,
    rows_rejected bigint
);
comment on table meta.source_load is
'Accounting per raw table: rows_read = rows_loaded + rows_rejected';
comment on column meta.source_load.theme is 'Theme that staged the table';
comment on column meta.source_load.source_id is 'Catalogue id of the source';
comment on column meta.source_load.raw_table is 'Raw table';
comment on column meta.source_load.layer is 'Canonical layer it fills, or the layer it is joined into';
comment on column meta.source_load.rows_read is 'Rows in the file';
comment on column meta.source_load.rows_loaded is 'Rows whose values stand in the layer: as a row of their own, or merged into others';
comment on column meta.source_load.rows_merged is 'Of the rows loaded, those whose values were joined or summed into other rows';
comment on column meta.source_load.rows_rejected is 'Rows in meta.rejected_row';
