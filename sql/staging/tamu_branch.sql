create table staging.tamu_branch as
with renamed as (
    select
        branch_id,
        case branch_device_type
            when 'Line' then 'line' when 'Transformer' then 'transformer' when 'TransformerWinding' then 'winding'
        end as branch_kind,
        from_bus_id,
        to_bus_id,
        staging.number(r) as r_pu,
        staging.number(x) as x_pu,
        coalesce(nullif(staging.number(ratio), 0), 1) as tap_ratio,
        staging.number(angle) as phase_shift_deg,
        -- The case writes 0 for "not given", not for "carries nothing".
        nullif(staging.number(rateA), 0) as rating_mva,
        staging.number(Pf) as flow_mw,
        status = '1' as is_in_service,
        interconnect,
        'tamu_grid' as source_id,
        'tamu_branch' as raw_table,
        raw_row
    from raw.tamu_branch
)

select
    *,
    case when branch_kind is null or x_pu is null then 'invalid' end as reject_code,
    case
        when branch_kind is null then 'branch_device_type is not known'
        when x_pu is null then 'x is not a number'
    end as reject_reason
from renamed;
