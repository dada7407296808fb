-- What each column of mart holds: in the words of the table that is asked for, where that has the column.
select
    column_name,
    first(comment order by table_name <> $table_name, table_name) as comment
from meta.column
where table_schema = 'mart' and comment is not null
group by column_name
order by column_name;
