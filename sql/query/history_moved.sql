-- Counties whose rank is another than in an earlier run: those of the first 100 first, by places moved.
with joined as (
    select
        coalesce(present.workload, past.workload) as workload,
        coalesce(present.region_name, past.region_name) as region_name,
        coalesce(present.region_id, past.region_id) as region_id,
        past.rank as rank_before,
        present.rank as rank_after,
        past.score as score_before,
        present.score as score_after,
        least(past.rank, present.rank) > 100 as is_far_down,
        coalesce(abs(present.rank - past.rank), 1000000) as places
    from (
        select *
        from mart.rank_history
        where run_id = (select run_id from meta.run) and region_kind = 'county'
    ) as present
    full join (
        select *
        from mart.rank_history
        where run_id = $since and region_kind = 'county'
    ) as past
        on present.workload = past.workload and present.region_id = past.region_id
    where past.rank is distinct from present.rank
)

select
    *,
    count(*) over (partition by workload) as moved_count
from joined
where workload in (select workload from meta.workload)
qualify
    row_number() over (
        partition by workload order by is_far_down, places desc, least(rank_before, rank_after), region_id
    ) <= $n
order by workload, is_far_down, places desc, least(rank_before, rank_after), region_id;
