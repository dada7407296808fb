-- What a build does not hold what it is worked out from, by substation and node that parcels hang on.
select
    parcel.parcel_no,
    metric.headroom_substation_id,
    metric.second_feed_mw,
    metric.second_feed_substation_id,
    metric.lit_node_id,
    metric.diverse_node_id,
    metric.disjoint_path_count,
    metric.is_single_homed,
    metric.path_basis
from core.parcel
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
semi join (select unnest($parcel_no) as parcel_no) as asked on parcel.parcel_no = asked.parcel_no
order by parcel.parcel_no;
