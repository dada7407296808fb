create table mart.parcel_confidence (
    workload varchar,
    basis varchar,
    parcel_no bigint,
    parcel_id varchar,
    p_top10 float,
    p_top100 float,
    p_ranked float,
    rank_p05 integer,
    rank_p50 integer,
    rank_p95 integer,
    swing_metric varchar,
    swing_by varchar,
    swing_share float
);
comment on table mart.parcel_confidence is
'How sure the rank of each parcel is: ranks over draws of uncertain inputs and of weights; a parcel that ranks in no draw has no row';
comment on column mart.parcel_confidence.workload is 'Workload';
comment on column mart.parcel_confidence.basis is
'What ranks: score, or cost (the least delivered cost first; 200 draws, each term of the cost in its interval)';
comment on column mart.parcel_confidence.parcel_no is 'Parcel, as in core.parcel';
comment on column mart.parcel_confidence.parcel_id is 'Parcel';
comment on column mart.parcel_confidence.p_top10 is 'Share of the draws in which it is among the first 10';
comment on column mart.parcel_confidence.p_top100 is 'Share of the draws in which it is among the first 100';
comment on column mart.parcel_confidence.p_ranked is 'Share of the draws in which it fails no gate';
comment on column mart.parcel_confidence.rank_p05 is
'Rank that 5 % of the draws do not exceed; NULL when it fails a gate in more than 95 %';
comment on column mart.parcel_confidence.rank_p50 is
'Rank that half of the draws do not exceed; NULL when it fails a gate in more than half';
comment on column mart.parcel_confidence.rank_p95 is
'Rank that 95 % of the draws do not exceed; NULL when it fails a gate in more than 5 %';
comment on column mart.parcel_confidence.swing_metric is
'Metric, or term of the cost, that most changes its place: the gate that it fails most often where that is in more than 5 % of the draws, else the largest share of the variance of its lead over parcels of like score';
comment on column mart.parcel_confidence.swing_by is
'gate, weight (what the metric counts) or input (what it is): by which it does so';
comment on column mart.parcel_confidence.swing_share is
'That share; of a gate the share of draws that fail it';

insert into mart.parcel_confidence by name
select
    confidence.*,
    parcel.parcel_no
from read_parquet($confidence_path) as confidence
inner join core.parcel using (parcel_id)
order by confidence.workload, confidence.basis, parcel.parcel_no;
