-- Factors of the parcels that fill regions; filled for ranges of parcels, so that memory holds a few.
create table staging.best_factor as
select * from mart.parcel_factor where false;
