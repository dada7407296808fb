insert into meta.raw_table by name select * from query_table($raw_table);
insert into meta.rejected_row by name select * from query_table($rejected_row);
insert into meta.source_load by name select * from query_table($source_load);
