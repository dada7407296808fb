create table staging.case_branch as
with renamed as (
    select
        branch.branch_id,
        branch.branch_kind,
        branch.from_bus_id,
        branch.to_bus_id,
        staging.number(branch.r_pu) as r_pu,
        staging.number(branch.x_pu) as x_pu,
        coalesce(staging.number(branch.tap_ratio), 1) as tap_ratio,
        coalesce(staging.number(branch.phase_shift_deg), 0) as phase_shift_deg,
        -- 9,900 MVA and more is how cases write that there is no limit: no single circuit carries it.
        case when staging.number(branch.rating_mva) between 0.001 and 9899 then staging.number(branch.rating_mva) end
            as rating_mva,
        staging.number(branch.flow_mw) as flow_mw,
        -- A branch at a bus out of service carries nothing.
        staging.number(branch.status) > 0 and a.kind is null and b.kind is null as is_in_service,
        a.interconnect,
        'network_case' as source_id,
        'case_branch' as raw_table,
        branch.raw_row,
        a.bus_id is not null as has_from,
        b.bus_id is not null as has_to
    from raw.case_branch as branch
    left join staging.case_node as a on branch.from_bus_id = a.bus_id and a.copy_no = 1
    left join staging.case_node as b on branch.to_bus_id = b.bus_id and b.copy_no = 1
)

select
    * exclude (has_from, has_to),
    case
        when not has_from or not has_to or x_pu is null or not isfinite(x_pu) or is_in_service is null then 'invalid'
    end as reject_code,
    case
        when not has_from then 'begins at bus ' || coalesce(from_bus_id, 'without number') || ', which the case has not'
        when not has_to then 'ends at bus ' || coalesce(to_bus_id, 'without number') || ', which the case has not'
        when x_pu is null or not isfinite(x_pu) then 'its reactance is not a number'
        when is_in_service is null then 'its status is not a number'
    end as reject_reason
from renamed;
