insert into staging.best_factor by name
select *
from mart.parcel_factor
where
    parcel_no between $first_no and $last_no
    and parcel_no in (select parcel_no from mart.region_fill);
