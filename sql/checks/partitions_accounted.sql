-- severity: error
-- description: of parcels measured in parts, none is missing and none counted twice, in the whole and in every piece
select
    run.run_id as piece,
    run.divided_count as row_count,
    run.parcel_count as measured_count
from meta.run as run
cross join (
    select
        count(*) as piece_count,
        count(distinct piece) as name_count,
        sum(row_count) as row_count,
        sum(measured_count) as measured_count
    from meta.partition
) as held
where
    held.piece_count > 0
    and (
        held.name_count <> held.piece_count
        or held.row_count is distinct from run.divided_count
        or held.measured_count is distinct from run.parcel_count
    )
union all
select
    piece,
    row_count,
    measured_count
from meta.partition
where not coalesce(measured_count between 0 and row_count and length(content_sha256) = 64, false)
union all
select
    told.workload as piece,
    run.parcel_count as row_count,
    told.pass_count + told.unknown_count + told.fail_count as measured_count
from meta.workload_parcel as told
cross join meta.run as run
where told.pass_count + told.unknown_count + told.fail_count is distinct from run.parcel_count;
