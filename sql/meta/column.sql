create view meta.column as
select
    schema_name as table_schema,
    table_name,
    column_name,
    data_type,
    comment
from duckdb_columns()
where schema_name in ('core', 'mart', 'meta', 'parts') and not internal and database_name = current_database()
order by schema_name, table_name, column_index;
comment on view meta.column is 'Data dictionary: every table, column, type and comment';
comment on column meta.column.table_schema is 'Schema';
comment on column meta.column.table_name is 'Table or view';
comment on column meta.column.column_name is 'Column';
comment on column meta.column.data_type is 'Type';
comment on column meta.column.comment is 'What it holds';
