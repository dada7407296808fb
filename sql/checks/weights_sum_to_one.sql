-- severity: error
-- description: the weights in use sum to 1
select workload, sum(weight) as total
from meta.factor
where not is_removed
group by workload
having abs(sum(weight) - 1) > 1e-9;
