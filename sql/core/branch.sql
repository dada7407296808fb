create table core.branch (
    branch_id varchar primary key,
    branch_kind varchar,
    from_bus_id varchar,
    to_bus_id varchar,
    r_pu double,
    x_pu double,
    tap_ratio double,
    phase_shift_deg double,
    rating_mva double,
    flow_mw double,
    is_in_service boolean,
    interconnect varchar,
    source_id varchar
);
comment on table core.branch is 'Branches of a network case: lines and transformers with their electrical data';
comment on column core.branch.branch_id is 'Id of the branch';
comment on column core.branch.branch_kind is 'line, transformer or winding';
comment on column core.branch.from_bus_id is 'From bus';
comment on column core.branch.to_bus_id is 'To bus';
comment on column core.branch.r_pu is 'Resistance, per unit on 100 MVA';
comment on column core.branch.x_pu is 'Reactance, per unit on 100 MVA';
comment on column core.branch.tap_ratio is 'Off-nominal tap ratio';
comment on column core.branch.phase_shift_deg is 'Phase shift, degrees';
comment on column core.branch.rating_mva is 'Long-term rating, MVA; NULL when the case says 0 (not given)';
comment on column core.branch.flow_mw is 'Published base flow at the from end, MW';
comment on column core.branch.is_in_service is 'Whether the branch is in service in the base case';
comment on column core.branch.interconnect is 'Interconnection';
comment on column core.branch.source_id is 'Catalogue id of the source the row comes from';

insert into meta.refused_row
select
    'branch' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when branch_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats branch_id ' || branch_id, 'has no branch_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify branch_id is null or row_number() over (partition by branch_id order by raw_table, raw_member, raw_row) > 1;

insert into core.branch by name
select
    branch_id,
    branch_kind,
    from_bus_id,
    to_bus_id,
    r_pu,
    x_pu,
    tap_ratio,
    phase_shift_deg,
    rating_mva,
    flow_mw,
    is_in_service,
    interconnect,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null and branch_id is not null
qualify row_number() over (partition by branch_id order by raw_table, raw_member, raw_row) = 1
order by branch_id;
