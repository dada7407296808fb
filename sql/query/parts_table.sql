-- Whether a build tells of parts; one of another version does not.
select table_name
from duckdb_tables()
where schema_name = 'meta' and table_name = 'parts' and database_name = current_database();
