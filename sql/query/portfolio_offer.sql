-- Parcels that pass all gates of a workload, with the substation that feeds them.
select
    score.parcel_id,
    score.rank,
    score.score,
    parcel.parcel_name,
    coalesce(county.county_name || ', ', '') || parcel.state_id as county_name,
    parcel.lon,
    parcel.lat,
    metric.headroom_substation_id as substation_id,
    metric.headroom_mw_low,
    metric.headroom_mw_mid,
    metric.headroom_mw_high,
    case workload.capacity_metric
        when 'headroom_mw_low' then metric.headroom_mw_low
        when 'headroom_mw_mid' then metric.headroom_mw_mid
        when 'headroom_mw_high' then metric.headroom_mw_high
    end as capacity_mw
from mart.parcel_score as score
inner join meta.workload as workload on score.workload = workload.workload
inner join core.parcel as parcel on score.parcel_no = parcel.parcel_no
inner join core.parcel_metric as metric on parcel.parcel_id = metric.parcel_id
left join core.county as county on parcel.county_id = county.county_id
where score.workload = $workload and score.gate_status = 'pass'
order by score.parcel_id;
