-- Sources whose terms keep them out of what is passed on, and the layers that their rows went into.
select
    source.source_id,
    source.title,
    source.data_terms as why,
    list(layer_source.layer order by layer_source.layer) filter (where layer_source.layer is not null) as layers
from meta.source
left join meta.layer_source on source.source_id = layer_source.source_id
where not source.is_exportable
group by all
order by source.source_id;
