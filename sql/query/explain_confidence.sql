select
    confidence.workload,
    confidence.basis,
    confidence.p_top10,
    confidence.p_top100,
    confidence.p_ranked,
    confidence.rank_p05,
    confidence.rank_p50,
    confidence.rank_p95,
    confidence.swing_metric,
    confidence.swing_by,
    metric.label as swing_label
from mart.parcel_confidence as confidence
inner join core.parcel using (parcel_no)
left join meta.metric as metric on confidence.swing_metric = metric.metric
where parcel.parcel_id = $parcel_id
order by confidence.workload, confidence.basis;
