-- Buses of the user's case, and the substation that each stands in. A file of points wins over the case's own places.
-- Its column `substation` says which buses stand together; where it is blank, buses within 0.1 mi of one another do.
create table staging.case_node as
with recursive place as (
    select
        bus.bus_id,
        bus.raw_row,
        bus.kind,
        staging.word(bus.name) as bus_name,
        staging.number(bus.kv) as kv,
        staging.number(bus.load_mw) as load_mw,
        'area ' || staging.word(bus.area) as zone_id,
        -- The parts that no alternating current joins; one as a rule.
        case when bus.island = '1' then 'case' else 'case island ' || bus.island end as interconnect,
        row_number() over (partition by bus.bus_id order by bus.raw_row) as copy_no,
        case when point.bus_id is null then staging.number(own.lon) else staging.number(point.lon) end as lon,
        case when point.bus_id is null then staging.number(own.lat) else staging.number(point.lat) end as lat,
        staging.word(point.substation) as named
    from raw.case_bus as bus
    inner join raw.case_place as own using (raw_row)
    left join (select * from raw.case_point qualify row_number() over (partition by bus_id order by raw_row) = 1) as point
        on bus.bus_id = staging.word(point.bus_id)
),

coded as (
    select
        *,
        case
            when bus_id is null then 'invalid'
            when copy_no > 1 then 'duplicate'
            when kind = 'isolated' then 'not_in_service'
            when kind is not null then 'not_used'
            else staging.point_reject_code(lon, lat)
        end as reject_code,
        case
            when bus_id is null then 'has no number'
            when copy_no > 1 then 'repeats bus ' || bus_id
            when kind = 'isolated' then 'bus ' || bus_id || ' is isolated'
            when kind is not null then 'bus ' || bus_id || ' carries ' || kind
            when lon is null or lat is null then 'bus ' || bus_id || ' has no point: it has no substation'
            else 'bus ' || bus_id || ' ' || staging.point_reject_reason(lon, lat)
        end as reject_reason
    from place
),

spot as (
    select lon, lat, min(raw_row) as first_row
    from coded
    where reject_code is null and named is null
    group by lon, lat
),

near as (
    select a.first_row as one, b.first_row as other
    from spot as a
    inner join spot as b
        on
            b.lat between a.lat - 0.0015 and a.lat + 0.0015
            and b.lon between a.lon - 0.0025 and a.lon + 0.0025
            and a.first_row <> b.first_row
    where staging.miles(a.lon, a.lat, b.lon, b.lat) <= 0.1
),

-- Spots that neighbours join, however many lie between them.
joined as (
    select one, one as root from near
    union
    select near.other as one, joined.root
    from joined
    inner join near on joined.one = near.one
),

root as (
    select one, min(root) as root from joined group by one
),

grouped as (
    select
        coded.*,
        case
            when coded.reject_code is not null then null
            when coded.named is not null then 'case-' || coded.named
            else 'case-bus-' || first_bus.bus_id
        end as substation_id
    from coded
    left join spot on coded.named is null and coded.lon = spot.lon and coded.lat = spot.lat
    left join root on spot.first_row = root.one
    left join coded as first_bus on first_bus.raw_row = coalesce(root.root, spot.first_row)
)

from grouped;
