-- Sources that may be passed on, and the layers that their rows went into.
select
    source.source_id,
    list(layer_source.layer order by layer_source.layer) filter (where layer_source.layer is not null) as layers
from meta.source
left join meta.layer_source on source.source_id = layer_source.source_id
where source.is_exportable
group by all
order by source.source_id;
