select count(*)::varchar || ' ' || coalesce(bit_xor(hash(layer)), 0)::varchar as content
from query_table($layer) as layer;
