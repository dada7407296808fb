-- severity: error
-- description: scores lie between 0 and 100 and low is not above high
select workload, parcel_id, score_low, score_high
from mart.parcel_score
where (score_low >= -1e-6 and score_high <= 100 + 1e-6 and score_low <= score_high + 1e-6) is not true;
