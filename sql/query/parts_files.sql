-- Files of this machine that views of a build read.
select
    parts.folder,
    partition.piece || '.parquet' as file
from meta.parts as parts
cross join meta.partition as partition
where parts.view_name is not null and parts.part_kind <> 'parcel_rank'
union all
select
    parts.folder,
    workload.workload || '.parquet' as file
from meta.parts as parts
cross join meta.workload as workload
where parts.view_name is not null and parts.part_kind = 'parcel_rank'
order by folder, file;
