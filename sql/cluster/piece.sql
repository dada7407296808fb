-- One piece of a study measured in parts, for the scores of its parcels: their outlines are not looked at.
insert into core.parcel by name
select
    row_number() over (order by divided.parcel_id) - 1 as parcel_no,
    divided.parcel_id,
    divided.parcel_kind,
    divided.county_id,
    divided.state_id,
    located.zone_id,
    located.region_metro_id as metro_id,
    divided.area_acres
from read_parquet($parcel_path) as divided
inner join read_parquet($metric_path) as located using (parcel_id)
order by divided.parcel_id;

insert into core.parcel_metric by name
select * exclude (known_count, zone_id, region_metro_id, parcel_name)
from read_parquet($metric_path)
order by parcel_id;
