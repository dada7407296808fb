-- severity: error
-- description: every parcel of the division was measured or rejected, and those that the build is to keep are in it
select
    run.divided_count,
    run.parcel_count,
    run.kept_count,
    parcel.parcel_count as built_count,
    rejected.rejected_count
from meta.run
cross join (select count(*) as parcel_count from core.parcel) as parcel
cross join (
    select count(*) as rejected_count
    from meta.rejected_row
    where raw_table = 'parcels' and reject_code = 'measure_failed'
) as rejected
where
    run.kept_count is distinct from parcel.parcel_count
    or run.divided_count is distinct from run.parcel_count + rejected.rejected_count;
