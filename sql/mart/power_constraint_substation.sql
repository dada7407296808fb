create table mart.power_constraint_substation (
    constraint_no bigint,
    substation_id varchar,
    mw_per_mw double
);
comment on table mart.power_constraint_substation is
'Substations that lean on each limit of mart.power_constraint; loads keep to it while the sum of mw_per_mw times their MW is at most its margin_mw';
comment on column mart.power_constraint_substation.constraint_no is 'Limit, as in mart.power_constraint';
comment on column mart.power_constraint_substation.substation_id is 'Substation';
comment on column mart.power_constraint_substation.mw_per_mw is
'What one MW of new load there adds to the flow in the limited direction, MW; at least 0.05, less counts as nothing';

insert into mart.power_constraint_substation by name
select
    constraint_no,
    substation_id,
    mw_per_mw
from read_parquet($power_constraint_substation_path)
order by constraint_no, substation_id;
