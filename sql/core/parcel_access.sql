create table core.parcel_access (
    parcel_no bigint,
    access_no bigint,
    node_id varchar,
    access_mi double
);
comment on table core.parcel_access is 'The connected fiber nodes nearest to every parcel, within the reach of meta.latency_rule';
comment on column core.parcel_access.parcel_no is 'Parcel, as in core.parcel';
comment on column core.parcel_access.access_no is '1 is the nearest';
comment on column core.parcel_access.node_id is 'Fiber node';
comment on column core.parcel_access.access_mi is 'Miles from the parcel''s point';

insert into core.parcel_access by name
select
    parcel.parcel_no,
    access.access_no,
    access.node_id,
    access.access_mi
from read_parquet($access_path) as access
inner join core.parcel using (parcel_id)
order by parcel.parcel_no, access.access_no;
