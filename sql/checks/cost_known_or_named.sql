-- severity: error
-- description: every parcel has its cost for every workload with low to high in order, or what is missing is named
select
    score.workload,
    score.parcel_id,
    cost.low,
    cost.mid,
    cost.high,
    cost.missing
from mart.parcel_score as score
left join mart.parcel_cost as cost using (workload, parcel_no)
where
    case
        when cost.mid is null
            then len(coalesce(cost.missing, [])) = 0 or cost.low is not null or cost.high is not null
        else not (
            coalesce(cost.low > 0 and cost.low <= cost.mid and cost.mid <= cost.high, false)
            and isfinite(cost.high)
            and coalesce(cost.cost_mw > 0, false)
        )
    end;
