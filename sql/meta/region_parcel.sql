-- How many parcels lie in each region, and their acres, summed as decimals: in any order of the rows the same.
create table staging.region_parcel as
select
    region_kind,
    region_id,
    count(*) as parcel_count,
    sum(area_acres::decimal(18, 3)) as area_acres
from (
    unpivot (select area_acres, county_id as county, metro_id as metro, state_id as state, zone_id as zone from core.parcel)
    on county, metro, state, zone into name region_kind value region_id
)
group by region_kind, region_id;
