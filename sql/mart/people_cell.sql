create table mart.people_cell (
    row_no integer,
    column_no integer,
    people_milli bigint
);
comment on table mart.people_cell is
'People that are counted around parcels, by cell of a grid of 30 arc seconds around the earth; cells with nobody are left out';
comment on column mart.people_cell.row_no is 'Row from the North Pole, from 0: its northern edge is at 90 - row_no / 120 degrees';
comment on column mart.people_cell.column_no is
'Column from 180 degrees west, from 0: its western edge is at column_no / 120 - 180 degrees';
comment on column mart.people_cell.people_milli is 'Thousandths of a person';

insert into mart.people_cell by name
select
    row_no::integer as row_no,
    column_no::integer as column_no,
    milli::bigint as people_milli
from read_parquet($people_cell_path)
order by row_no, column_no;
