insert into meta.raw_table by name select * from query_table($raw_table);
insert into meta.rejected_row by name select * from query_table($rejected_row);
insert into meta.source_load by name select * from query_table($source_load);
insert into meta.raw_column by name select * from query_table($raw_column);
insert into meta.source_check by name select * from query_table($source_check);
insert into meta.source_limit by name select * from query_table($source_limit);
insert into meta.staged_point by name select * from query_table($staged_point);
