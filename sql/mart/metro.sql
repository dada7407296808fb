create view mart.metro as
select
    metro_id,
    metro_name,
    metro_people,
    is_major,
    lon,
    lat,
    st_setcrs(format('POINT ({} {})', lon, lat)::geometry, 'OGC:CRS84') as geometry
from core.metro
order by metro_people desc, metro_id;
comment on view mart.metro is 'Metropolitan areas of 250,000 people or more';
comment on column mart.metro.metro_id is 'CBSA code';
comment on column mart.metro.metro_name is 'Name';
comment on column mart.metro.metro_people is 'People';
comment on column mart.metro.is_major is 'Whether it is a major metro: a million people or more, where no profile asks for another number';
comment on column mart.metro.lon is 'Longitude of the people-weighted centre';
comment on column mart.metro.lat is 'Latitude of the people-weighted centre';
comment on column mart.metro.geometry is 'The centre, a point';
