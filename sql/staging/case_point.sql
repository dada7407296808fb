-- Points of the user's file: merged into the substations of their buses.
create table staging.case_point as
with counted as (
    select
        staging.word(point.bus_id) as bus_id,
        staging.number(point.lon) as lon,
        staging.number(point.lat) as lat,
        point.raw_row,
        row_number() over (partition by staging.word(point.bus_id) order by point.raw_row) as copy_no,
        staging.word(point.bus_id) in (select bus_id from raw.case_place) as is_known
    from raw.case_point as point
)

select
    null::varchar as substation_id,
    null::varchar as substation_name,
    lon,
    lat,
    null::double as kv_max,
    null::double as kv_min,
    null::varchar as interconnect,
    null::varchar as zone_id,
    null::double as load_mw,
    'network_points' as source_id,
    'case_point' as raw_table,
    raw_row,
    case
        when bus_id is null or is_known is not true then 'invalid'
        when copy_no > 1 then 'duplicate'
        else coalesce(staging.point_reject_code(lon, lat), 'merged')
    end as reject_code,
    case
        when bus_id is null then 'names no bus'
        when is_known is not true then 'names bus ' || bus_id || ', which the case has not'
        when copy_no > 1 then 'repeats bus ' || bus_id
        else coalesce(staging.point_reject_reason(lon, lat), 'is the point of bus ' || bus_id)
    end as reject_reason
from counted;
