-- PeeringDB gives exchanges no place but the facilities that they stand in: each of those is one, with the
-- number of exchanges in it. An exchange that no network has joined counts for none. Looks into
-- staging.peeringdb_api_facility, where the rows of the facilities are accounted for.
create table staging.peeringdb_api_ixp as
select
    facility.facility_id as ixp_id,
    facility.facility_name as ixp_name,
    count(distinct presence.ix_id) as carrier_count,
    false as is_inferred,
    facility.lon,
    facility.lat,
    'peeringdb_api_presence' as source_id,
    null::varchar as raw_table,
    null::bigint as raw_row,
    null::varchar as reject_code,
    null::varchar as reject_reason
from staging.peeringdb_api_facility as facility
inner join raw.peeringdb_ixfac as presence on facility.facility_id = 'peeringdb-' || presence.fac_id
inner join raw.peeringdb_ix as exchange on presence.ix_id = exchange.id
where
    facility.reject_code is null
    and staging.word(presence.status) = 'ok' and staging.word(exchange.status) = 'ok'
    and coalesce(staging.number(exchange.net_count), 1) > 0
group by facility.facility_id, facility.facility_name, facility.lon, facility.lat;
