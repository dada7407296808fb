-- severity: error
-- description: every state of the area has counties and, where cells are generated, parcels
select state.state_id
from core.state
cross join meta.run
left join (select distinct state_id from core.county) as county using (state_id)
left join (select distinct state_id from core.parcel) as parcel using (state_id)
left join mart.region as region on region.region_kind = 'state' and state.state_id = region.region_id
where
    (county.state_id is null or (parcel.state_id is null and run.parcel_kind = 'h3_cell'))
    -- A state may have parcels of which the build keeps none.
    and (run.kept_count = run.parcel_count or coalesce(region.parcel_count, 0) = 0)
    and (list_contains(run.area, 'conus') or list_contains(run.area, state.state_id));
