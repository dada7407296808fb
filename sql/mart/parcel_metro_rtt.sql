create view mart.parcel_metro_rtt as
with rule as (
    select
        any_value(mid) filter (where name = 'light_us_per_km') as light_us_per_km,
        any_value(low) filter (where name = 'straight_factor') as factor_low,
        any_value(mid) filter (where name = 'straight_factor') as factor_mid,
        any_value(high) filter (where name = 'straight_factor') as factor_high,
        any_value(low) filter (where name = 'access_ms') as access_ms_low,
        any_value(mid) filter (where name = 'access_ms') as access_ms_mid,
        any_value(high) filter (where name = 'access_ms') as access_ms_high
    from meta.latency_rule
),

tail as (
    select
        access.parcel_no,
        access.node_id,
        access.access_mi * 1.609344 * 2 * rule.light_us_per_km / 1000 as straight_ms
    from core.parcel_access as access
    cross join rule
),

least_rtt as (
    select
        tail.parcel_no,
        rtt.metro_id,
        min(rtt.rtt_ms_low + tail.straight_ms * rule.factor_low + rule.access_ms_low) as rtt_ms_low,
        min(rtt.rtt_ms_mid + tail.straight_ms * rule.factor_mid + rule.access_ms_mid) as rtt_ms_mid,
        min(rtt.rtt_ms_high + tail.straight_ms * rule.factor_high + rule.access_ms_high) as rtt_ms_high
    from tail
    inner join mart.fiber_metro_rtt as rtt on tail.node_id = rtt.node_id
    cross join rule
    group by tail.parcel_no, rtt.metro_id
)

select
    parcel.parcel_id,
    least_rtt.metro_id,
    metro.metro_name,
    metro.is_major,
    metro.metro_people,
    least_rtt.rtt_ms_low,
    least_rtt.rtt_ms_mid,
    least_rtt.rtt_ms_high
from least_rtt
inner join core.parcel on least_rtt.parcel_no = parcel.parcel_no
inner join core.metro on least_rtt.metro_id = metro.metro_id;
comment on view mart.parcel_metro_rtt is
'Round trips from every parcel to every metro, worked out when asked; a pair that no path joins has no row';
comment on column mart.parcel_metro_rtt.parcel_id is 'Parcel';
comment on column mart.parcel_metro_rtt.metro_id is 'Metro';
comment on column mart.parcel_metro_rtt.metro_name is 'Its name';
comment on column mart.parcel_metro_rtt.is_major is 'Whether it is a major metro: a million people or more, where no profile asks for another number';
comment on column mart.parcel_metro_rtt.metro_people is 'Its people';
comment on column mart.parcel_metro_rtt.rtt_ms_low is 'Round trip, low end, ms';
comment on column mart.parcel_metro_rtt.rtt_ms_mid is 'Round trip, middle, ms';
comment on column mart.parcel_metro_rtt.rtt_ms_high is 'Round trip, high end, ms';
