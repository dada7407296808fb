create table meta.power_waived (
    interconnect varchar,
    branch_id varchar,
    outage_branch_id varchar,
    limit_text varchar,
    flow_mw double,
    limit_mw double
);
comment on table meta.power_waived is 'Elements over their limit before any new load: they do not bind, since no new load is at fault';
comment on column meta.power_waived.interconnect is 'Interconnection';
comment on column meta.power_waived.branch_id is 'Element that is over its limit';
comment on column meta.power_waived.outage_branch_id is 'Branch after whose outage it is; NULL when all is in service';
comment on column meta.power_waived.limit_text is 'Element and outage in words';
comment on column meta.power_waived.flow_mw is 'Its flow before any new load, MW';
comment on column meta.power_waived.limit_mw is 'Its limit, MW: the rating, after an outage times the emergency factor';

insert into meta.power_waived by name
select
    interconnect,
    branch_id,
    outage_branch_id,
    limit_text,
    flow_mw,
    limit_mw
from read_parquet($waived_path)
order by abs(flow_mw) / limit_mw desc, branch_id, outage_branch_id;
