create table meta.raw_table (
    theme varchar,
    source_id varchar,
    raw_table varchar,
    file varchar,
    rows_read bigint
);
