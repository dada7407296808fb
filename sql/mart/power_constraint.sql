create table mart.power_constraint (
    constraint_no bigint primary key,
    branch_id varchar,
    branch_text varchar,
    branch_kind varchar,
    kv double,
    from_substation_id varchar,
    to_substation_id varchar,
    outage_branch_id varchar,
    outage_text varchar,
    is_forward boolean,
    limit_mw double,
    base_flow_mw double,
    margin_mw double,
    substation_count bigint
);
comment on table mart.power_constraint is
'Limits that substations share: those that are among the three tightest of any substation in the middle case';
comment on column mart.power_constraint.constraint_no is 'Number of the limit in this build';
comment on column mart.power_constraint.branch_id is 'Element that is limited';
comment on column mart.power_constraint.branch_text is 'The element in words';
comment on column mart.power_constraint.branch_kind is 'line, transformer or winding';
comment on column mart.power_constraint.kv is 'Voltage of the element, of its lower end, kV';
comment on column mart.power_constraint.from_substation_id is 'Substation at its from end; NULL when unknown';
comment on column mart.power_constraint.to_substation_id is 'Substation at its to end; NULL when unknown';
comment on column mart.power_constraint.outage_branch_id is
'Branch whose outage makes it limit; NULL when all is in service';
comment on column mart.power_constraint.outage_text is 'That branch in words';
comment on column mart.power_constraint.is_forward is
'Whether flow from its from end to its to end is limited, or the other way';
comment on column mart.power_constraint.limit_mw is
'Limit of that flow: the rating, or 1.2 times it after an outage, MW';
comment on column mart.power_constraint.base_flow_mw is
'Flow in that direction before any new load and with all in service, MW';
comment on column mart.power_constraint.margin_mw is
'What is left of the limit before any new load, after the outage if one is named, MW';
comment on column mart.power_constraint.substation_count is
'Substations of whose new load at least 5 % would flow over it; see mart.power_constraint_substation';

insert into mart.power_constraint by name
select
    constraint_no,
    branch_id,
    branch_text,
    branch_kind,
    kv,
    from_substation_id,
    to_substation_id,
    outage_branch_id,
    outage_text,
    is_forward,
    limit_mw,
    base_flow_mw,
    margin_mw,
    substation_count
from read_parquet($power_constraint_path)
order by constraint_no;
