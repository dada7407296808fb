select
    layer,
    source_id
from meta.layer_source
where source_id is not null
order by layer, source_id;
