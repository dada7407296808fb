-- severity: error
-- description: no parcel is without land
select parcel_id, area_acres, land_share from core.parcel where (area_acres > 0 and not isnan(area_acres)) is not true or land_share <= 0;
