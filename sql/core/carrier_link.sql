create table core.carrier_link (
    link_id varchar primary key,
    carrier_id varchar,
    from_pop_id varchar,
    to_pop_id varchar,
    length_km double,
    link_kind varchar,
    source_id varchar
);
comment on table core.carrier_link is 'Links between points of presence';
comment on column core.carrier_link.link_id is 'Id';
comment on column core.carrier_link.carrier_id is 'Carrier';
comment on column core.carrier_link.from_pop_id is 'From PoP';
comment on column core.carrier_link.to_pop_id is 'To PoP';
comment on column core.carrier_link.length_km is 'Great-circle length, km';
comment on column core.carrier_link.link_kind is 'ip_adjacency (logical, never physical diversity) or mapped';
comment on column core.carrier_link.source_id is 'Catalogue id of the source the row comes from';

insert into core.carrier_link by name
select
    link_id,
    carrier_id,
    from_pop_id,
    to_pop_id,
    length_km,
    link_kind,
    source_id
from query_table(getvariable('staged'), true)
where reject_code is null
order by link_id;
