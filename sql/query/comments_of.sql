select column_name, comment
from duckdb_columns()
where
    schema_name || '.' || table_name = $named
    and database_name = current_database()
    and comment is not null;
