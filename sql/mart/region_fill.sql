create table mart.region_fill (
    workload varchar,
    region_kind varchar,
    region_id varchar,
    fill_no bigint,
    parcel_id varchar,
    parcel_no bigint,
    substation_id varchar,
    score double,
    score_high double,
    gate_status varchar,
    capacity_mw double,
    shared_mw double,
    used_mw double
);
comment on table mart.region_fill is
'How each region fills its workload''s target: its best parcel at each substation, the better ones first, with what its substations can serve together';
comment on column mart.region_fill.workload is 'Workload';
comment on column mart.region_fill.region_kind is 'county, metro, state or zone';
comment on column mart.region_fill.region_id is 'Region';
comment on column mart.region_fill.fill_no is 'Order of the parcels, from 1';
comment on column mart.region_fill.parcel_id is 'Best parcel of the region at that substation';
comment on column mart.region_fill.parcel_no is 'The same parcel, as in core.parcel';
comment on column mart.region_fill.substation_id is 'Feeding substation, counted once in a region';
comment on column mart.region_fill.score is 'Score of the parcel';
comment on column mart.region_fill.score_high is 'Score of the parcel with unknown factors at their best';
comment on column mart.region_fill.gate_status is 'pass or unknown';
comment on column mart.region_fill.capacity_mw is 'Headroom of the substation alone, up to what the workload takes at one site';
comment on column mart.region_fill.shared_mw is
'Part of it that what the region''s others draw takes away, since they load the same lines; 0 without a load flow';
comment on column mart.region_fill.used_mw is
'Part of it that the target takes; all parts of a region together overload nothing that any of them leans on';

insert into mart.region_fill by name
select
    candidate.* exclude (candidate_no, target_mw),
    row_number() over (
        partition by candidate.workload, candidate.region_kind, candidate.region_id
        order by candidate.candidate_no
    ) as fill_no,
    used.shared_mw,
    used.used_mw
from staging.region_candidate as candidate
inner join staging.region_used as used using (workload, region_kind, region_id, candidate_no)
where used.used_mw > 0
order by candidate.workload, candidate.region_kind, candidate.region_id, fill_no;
