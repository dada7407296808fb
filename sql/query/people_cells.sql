select
    row_no,
    column_no,
    people_milli
from mart.people_cell
order by row_no, column_no;
