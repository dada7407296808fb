select source.title
from meta.layer_source
inner join meta.source on layer_source.source_id = source.source_id
where layer_source.layer = 'slope';
