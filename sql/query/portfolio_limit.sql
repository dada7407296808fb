-- Limits on which two or more of some substations lean.
select
    leaning.constraint_no,
    leaning.substation_id,
    leaning.mw_per_mw,
    limiting.margin_mw
from mart.power_constraint_substation as leaning
inner join mart.power_constraint as limiting on leaning.constraint_no = limiting.constraint_no
where leaning.substation_id in (select unnest($substation_ids::varchar[]))
qualify count(*) over (partition by leaning.constraint_no) > 1
order by leaning.constraint_no, leaning.substation_id;
