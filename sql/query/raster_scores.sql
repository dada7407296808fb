-- Scores of the candidates of a workload, NULL for the other parcels, in the order of map_parcel_shapes.
select case when score.rank is not null then score.score end as score
from core.parcel
left join mart.parcel_score as score
    on parcel.parcel_no = score.parcel_no and score.workload = $workload
order by parcel.parcel_no;
