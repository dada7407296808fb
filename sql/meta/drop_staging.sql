drop schema staging cascade;
drop schema raw cascade;
drop table if exists meta.refused_row;
