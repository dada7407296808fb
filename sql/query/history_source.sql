select
    source_id,
    title,
    version,
    as_of,
    sha256,
    is_stale,
    is_synthetic
from meta.source
order by source_id;
