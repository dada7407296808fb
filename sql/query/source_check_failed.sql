select check_name, description, offending_count, examples
from meta.source_check
where severity = 'error' and offending_count > 0
order by check_name;
