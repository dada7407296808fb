create table mart.region_confidence (
    workload varchar,
    basis varchar,
    region_kind varchar,
    region_id varchar,
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
comment on table mart.region_confidence is
'How sure the rank of each region is: its plan in mart.region_fill is kept, megawatts, metrics and weights are drawn; a parcel that fails a gate brings nothing in that draw';
comment on column mart.region_confidence.workload is 'Workload';
comment on column mart.region_confidence.basis is 'What ranks: score';
comment on column mart.region_confidence.region_kind is 'county, metro, state or zone; ranks are within the kind';
comment on column mart.region_confidence.region_id is 'Region';
comment on column mart.region_confidence.p_top10 is 'Share of the draws in which it is among the first 10';
comment on column mart.region_confidence.p_top100 is 'Share of the draws in which it is among the first 100';
comment on column mart.region_confidence.p_ranked is 'Share of the draws in which any of its plan is left';
comment on column mart.region_confidence.rank_p05 is
'Rank that 5 % of the draws do not exceed; NULL when nothing is left in more than 95 %';
comment on column mart.region_confidence.rank_p50 is
'Rank that half of the draws do not exceed; NULL when nothing is left in more than half';
comment on column mart.region_confidence.rank_p95 is
'Rank that 95 % of the draws do not exceed; NULL when nothing is left in more than 5 %';
comment on column mart.region_confidence.swing_metric is
'Metric that most changes its place: the largest share of the variance of its lead over regions of like score';
comment on column mart.region_confidence.swing_by is
'weight (what the metric counts) or input (what it is, megawatts among them): by which it does so';
comment on column mart.region_confidence.swing_share is 'That share';
