select count(*) + 1 as rank
from mart.parcel_score
where
    workload = $workload
    and gate_status = 'pass'
    and (score > $score or (score = $score and parcel_id < $parcel_id))
    and parcel_id <> $parcel_id;
