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
