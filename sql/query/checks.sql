-- What stops a run first, then what is worth a look.
select *
from meta.check_result
order by array_position(['error', 'warn', 'info'], severity), check_name, description;
