select min(lon) as west, min(lat) as south, max(lon) as east, max(lat) as north from core.parcel;
