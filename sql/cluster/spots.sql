-- Parcels that show where regions lie, in the order in which land was divided.
select spot.*
from read_parquet($spot_paths) as spot
inner join read_parquet($parcel_path, file_row_number = true) as divided using (parcel_id)
order by divided.file_row_number;
