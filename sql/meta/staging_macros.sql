-- The box of the 48 states with a margin: a feature beyond it cannot matter to any parcel.
create macro staging.point_reject_code(lon, lat) as
case
    when lon is null or lat is null or isnan(lon) or isnan(lat) then 'invalid'
    when abs(lat) > 90 or abs(lon) > 180 then 'invalid'
    when lon not between -126.5 and -65.5 or lat not between 23.5 and 50.5 then 'outside_area'
end;

create macro staging.point_reject_reason(lon, lat) as
case
    when lon is null or lat is null or isnan(lon) or isnan(lat) then 'has no coordinates'
    when abs(lat) > 90 then 'latitude ' || lat || ' is outside -90 to 90'
    when abs(lon) > 180 then 'longitude ' || lon || ' is outside -180 to 180'
    when lon not between -126.5 and -65.5 or lat not between 23.5 and 50.5
        then 'lies outside the 48 states (' || round(lon, 3) || ', ' || round(lat, 3) || ')'
end;

-- Empty and blank cells are unknown.
create macro staging.number(cell) as try_cast(nullif(trim(replace(cell::varchar, ',', '')), '') as double);
create macro staging.word(cell) as nullif(trim(cell::varchar), '');

-- Coordinates of a point in WKB; the core functions have no st_x.
create macro staging.point_lon(wkb) as
regexp_extract(st_astext(st_geomfromwkb(wkb)), '\(([-0-9.e]+) ', 1)::double;
create macro staging.point_lat(wkb) as
regexp_extract(st_astext(st_geomfromwkb(wkb)), ' ([-0-9.e]+)\)$', 1)::double;

-- The same box for lines and polygons: one that does not touch it lies outside.
create macro staging.touches_area(wkb) as
st_intersects_extent(
    st_geomfromwkb(wkb),
    'POLYGON ((-126.5 23.5, -65.5 23.5, -65.5 50.5, -126.5 50.5, -126.5 23.5))'::geometry
);

-- Great-circle miles, for matching records of one thing in two files; metrics are geodesic (geo/).
create macro staging.miles(lon_a, lat_a, lon_b, lat_b) as
2 * 3958.76 * asin(sqrt(least(
    1,
    pow(sin(radians(lat_b - lat_a) / 2), 2)
    + cos(radians(lat_a)) * cos(radians(lat_b)) * pow(sin(radians(lon_b - lon_a) / 2), 2)
)));
