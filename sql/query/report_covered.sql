-- What the run covered, in one row; NULL is what the study does not know.
select
    (select parcel_count from meta.run) as parcel_count,
    (
        select
            case
                when kept_count = parcel_count then (select sum(area_acres) from core.parcel)
                else (select 640 * sum(area_sqmi) from mart.region where region_kind = 'county')
            end
        from meta.run
    ) as area_acres,
    (select count(*) from mart.region where region_kind = 'county') as county_count,
    (select count(*) from core.metro) as metro_count,
    (select sum(people) from mart.people_state where state_id is not null) as people,
    (select count(*) from mart.substation) as substation_count,
    (select sum(load_mw) from mart.substation) as load_mw,
    (select count(*) from core.line) as line_count,
    (select count(*) from core.plant) as plant_count,
    (select sum(capacity_mw) from core.plant) as plant_mw,
    (select count(*) from mart.fiber_node) as fiber_node_count;
