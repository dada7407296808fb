-- severity: warn
-- description: every state of the area has a substation and a point of presence within 25 miles of one of its generated cells
with nearest as (
    select
        parcel.state_id,
        unnest([
            {'layer': 'substation', 'nearest_mi': min(metric.substation_69kv_mi)},
            {'layer': 'pop', 'nearest_mi': min(metric.pop_mi)}
        ], recursive := true)
    from core.parcel
    inner join core.parcel_metric as metric using (parcel_id)
    where parcel.parcel_kind = 'h3_cell'
    group by parcel.state_id
)

select state_id, layer, nearest_mi
from nearest
where nearest_mi > 25;
