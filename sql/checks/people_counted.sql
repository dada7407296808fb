-- severity: error
-- description: the people counted around parcels are those of their source, by state and in the cells exported
with state as (
    select
        state_id,
        people,
        source_people * scale_factor as wanted,
        -- Points are rounded to thousandths.
        0.0005 * (point_count + 1) + 1e-9 * people as slack
    from mart.people_state
),

cell as (
    select
        null as state_id,
        (select sum(people_milli) / 1000 from mart.people_cell) as people,
        sum(people) as wanted,
        -- Sums of thousandths are exact.
        1e-9 * sum(people) as slack
    from mart.people_state
),

counted as (
    select * from state
    union all by name
    select * from cell
)

select state_id, people, wanted
from counted
where coalesce(abs(people - wanted) > slack, people is distinct from wanted);
