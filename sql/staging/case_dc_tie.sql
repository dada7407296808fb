create table staging.case_dc_tie as
with renamed as (
    select
        tie.dc_tie_id,
        tie.from_bus_id,
        tie.to_bus_id,
        staging.number(tie.min_mw) as min_mw,
        staging.number(tie.max_mw) as max_mw,
        staging.number(tie.flow_mw) as flow_mw,
        a.interconnect as from_interconnect,
        b.interconnect as to_interconnect,
        'network_case' as source_id,
        'case_dcline' as raw_table,
        tie.raw_row,
        staging.number(tie.status) > 0 as is_in_service,
        upper(staging.word(tie.carrier)) in ('DC', 'HVDC') as is_dc,
        tie.carrier,
        a.bus_id is not null and b.bus_id is not null as has_ends
    from raw.case_dcline as tie
    left join staging.case_node as a on tie.from_bus_id = a.bus_id and a.copy_no = 1
    left join staging.case_node as b on tie.to_bus_id = b.bus_id and b.copy_no = 1
)

select
    * exclude (is_in_service, is_dc, carrier, has_ends),
    case
        when is_dc is not true then 'not_used'
        when not has_ends then 'invalid'
        when is_in_service is not true then 'not_in_service'
    end as reject_code,
    case
        when is_dc is not true then 'is a link of carrier ' || coalesce(carrier, 'unknown') || ', no direct-current tie'
        when not has_ends then 'has an end at a bus that the case has not'
        when is_in_service is not true then 'is out of service'
    end as reject_reason
from renamed;
