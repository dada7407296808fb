select check_name, severity, description, offending_count, examples
from meta.source_check
order by check_name, description;
