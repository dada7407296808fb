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

insert into meta.refused_row
select
    'carrier_link' as layer,
    raw_table,
    raw_member,
    raw_row,
    case when link_id is null then 'invalid' else 'duplicate' end as reject_code,
    coalesce('repeats link_id ' || link_id, 'has no link_id') as reject_reason
from query_table(getvariable('staged'), true)
where reject_code is null
qualify link_id is null or row_number() over (partition by link_id order by raw_table, raw_member, raw_row) > 1;

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
where reject_code is null and link_id is not null
qualify row_number() over (partition by link_id order by raw_table, raw_member, raw_row) = 1
order by link_id;
