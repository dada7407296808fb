insert into meta.raw_table values ($theme, $source_id, $name, $file, $rows);
