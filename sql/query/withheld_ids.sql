-- Substations and lines that are rows of sources whose terms keep them out of what is passed on.
select
    'substation' as layer,
    substation_id as id
from mart.substation
where list_contains($source_ids, source_id)
union all
select
    'line' as layer,
    line_id as id
from core.line
where list_contains($source_ids, source_id)
order by layer, id;
