select
    ixp_id,
    ixp_name,
    is_inferred,
    lon,
    lat
from core.ixp
where lon is not null and lat is not null
order by ixp_id;
