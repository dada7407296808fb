create table mart.substation_constraint (
    substation_id varchar,
    order_no bigint,
    limit_text varchar,
    element_text varchar,
    branch_id varchar,
    outage_branch_id varchar,
    mw_per_mw double,
    margin_mw double,
    alone_mw double
);
comment on table mart.substation_constraint is 'The tightest limits of each substation in the middle case, one an element';
comment on column mart.substation_constraint.substation_id is 'Substation';
comment on column mart.substation_constraint.order_no is '1 is the tightest';
comment on column mart.substation_constraint.limit_text is
'The limit in words: element, and the outage after which it is full';
comment on column mart.substation_constraint.element_text is 'The element in words';
comment on column mart.substation_constraint.branch_id is 'Element that limits';
comment on column mart.substation_constraint.outage_branch_id is
'Branch whose outage makes it limit; NULL when all is in service';
comment on column mart.substation_constraint.mw_per_mw is
'What one MW of new load adds to its flow, MW; the sign tells the direction';
comment on column mart.substation_constraint.margin_mw is 'What is left of its limit before any new load, MW';
comment on column mart.substation_constraint.alone_mw is
'New load at which it is full when this substation is the only one that takes more, MW';

insert into mart.substation_constraint by name
select
    substation_id,
    order_no,
    limit_text,
    element_text,
    branch_id,
    outage_branch_id,
    mw_per_mw,
    margin_mw,
    alone_mw
from read_parquet($constraint_path)
order by substation_id, order_no;
