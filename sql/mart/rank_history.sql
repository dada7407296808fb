-- Filled once the run is known: its own ranks by meta/rank_history_now, those before by meta/rank_history_past.
create table mart.rank_history (
    run_id varchar,
    started_at timestamp,
    study varchar,
    workload varchar,
    region_kind varchar,
    region_id varchar,
    region_name varchar,
    rank bigint,
    score double
);
comment on table mart.rank_history is
'Ranks of regions, and of the first 1,000 parcels, by run: the last 30 runs of this study, area and resolution that differed from the one before, the run of this build among them';
comment on column mart.rank_history.run_id is
'Run; one that found nothing changed has no rows of its own: those of the run that it equals stand for it';
comment on column mart.rank_history.started_at is 'When the run started, UTC';
comment on column mart.rank_history.study is 'Id of the study';
comment on column mart.rank_history.workload is 'Workload';
comment on column mart.rank_history.region_kind is 'county, metro, state, zone or parcel';
comment on column mart.rank_history.region_id is 'Region or parcel';
comment on column mart.rank_history.region_name is 'Its name';
comment on column mart.rank_history.rank is 'Rank within its kind, from 1; NULL when nothing could be built there';
comment on column mart.rank_history.score is 'Score that ranked it, 0 to 100; NULL when it was not ranked';
