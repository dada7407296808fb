create table staging.tamu_dc_tie as
select
    dcline_id as dc_tie_id,
    from_bus_id,
    to_bus_id,
    staging.number(Pmin) as min_mw,
    staging.number(Pmax) as max_mw,
    staging.number(Pf) as flow_mw,
    from_interconnect,
    to_interconnect,
    'tamu_grid' as source_id,
    'tamu_dcline' as raw_table,
    raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from raw.tamu_dcline;
