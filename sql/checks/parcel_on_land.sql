-- severity: error
-- description: no parcel is without land
select parcel_id, area_acres, land_share from core.parcel where not area_acres > 0 or land_share <= 0;
