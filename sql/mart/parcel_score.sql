create table mart.parcel_score (
    workload varchar,
    parcel_no bigint,
    parcel_id varchar,
    rank bigint,
    score double,
    score_low double,
    score_high double,
    gate_status varchar,
    gates_failed varchar[],
    gates_unknown varchar[],
    factors_unknown varchar[]
);
comment on table mart.parcel_score is 'Score, gates and rank of every parcel for every workload';
comment on column mart.parcel_score.workload is 'Workload';
comment on column mart.parcel_score.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_score.parcel_id is 'Parcel';
comment on column mart.parcel_score.rank is
'Rank from 1; parcels that pass all gates come before those with an unknown gate; NULL when a gate fails';
comment on column mart.parcel_score.score is 'Score that ranks it, 0 to 100: the same as score_low';
comment on column mart.parcel_score.score_low is 'Score with every unknown factor at its worst, 0 to 100';
comment on column mart.parcel_score.score_high is 'Score with every unknown factor at its best, 0 to 100';
comment on column mart.parcel_score.gate_status is 'pass, unknown or fail over all gates';
comment on column mart.parcel_score.gates_failed is 'Metrics of the gates that fail';
comment on column mart.parcel_score.gates_unknown is 'Metrics of the gates that cannot be judged';
comment on column mart.parcel_score.factors_unknown is 'Metrics of the weighted factors that are unknown';

insert into mart.parcel_score by name
with joined as (
    select
        parcel_sum.* exclude (gates_failed, gates_unknown),
        parcel.parcel_id,
        coalesce(parcel_sum.gates_failed, []) as gates_failed,
        coalesce(parcel_sum.gates_unknown, []) as gates_unknown,
        case
            when parcel_sum.gates_failed is not null then 'fail'
            when parcel_sum.gates_unknown is not null then 'unknown'
            else 'pass'
        end as gate_status
    from staging.parcel_sum
    inner join core.parcel using (parcel_no)
)

select
    workload,
    parcel_no,
    parcel_id,
    case when gate_status <> 'fail' then
        coalesce(
            given_rank,
            row_number() over (
                partition by workload, gate_status = 'fail'
                order by gate_status = 'unknown', low desc, parcel_id
            )
        )
    end as rank,
    low / 1e9 as score,
    low / 1e9 as score_low,
    (low + unknown) / 1e9 as score_high,
    gate_status,
    gates_failed,
    gates_unknown,
    coalesce(factors_unknown, []) as factors_unknown
from joined
order by workload, rank nulls last, parcel_id;
