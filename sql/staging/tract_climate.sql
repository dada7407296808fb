create table staging.tract_climate as
with renamed as (
    select
        staging.number(degree_day.hdd65_normals) as heating_degree_days_65f,
        staging.number(degree_day.cdd65_normals) as cooling_degree_days_65f,
        staging.number(centroid.lon) as lon,
        staging.number(centroid.lat) as lat,
        'tract_degree_day' as source_id,
        'tract_degree_day' as raw_table,
        degree_day.raw_row
    from raw.tract_degree_day as degree_day
    left join raw.tract_centroid as centroid using (tract)
)

select
    *,
    case
        when heating_degree_days_65f is null or cooling_degree_days_65f is null then 'invalid'
        else staging.point_reject_code(lon, lat)
    end as reject_code,
    case
        when heating_degree_days_65f is null or cooling_degree_days_65f is null then 'a normal is not a number'
        else staging.point_reject_reason(lon, lat)
    end as reject_reason
from renamed;
