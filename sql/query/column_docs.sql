select column_name, any_value(comment) as comment
from meta.column
where table_schema = 'mart' and comment is not null
group by column_name;
