-- Substations as parcels are measured against them: those of the sources, inferred and stated ones alike.
select * exclude (geometry)
from mart.substation
order by substation_id;
