-- Filled with mart.rank_history.
create table mart.source_history (
    run_id varchar,
    started_at timestamp,
    source_id varchar,
    version varchar,
    as_of varchar,
    sha256 varchar,
    is_stale boolean
);
comment on table mart.source_history is 'Sources of each run of mart.rank_history';
comment on column mart.source_history.run_id is 'Run';
comment on column mart.source_history.started_at is 'When the run started, UTC';
comment on column mart.source_history.source_id is 'Catalogue id of the source';
comment on column mart.source_history.version is 'Pinned version';
comment on column mart.source_history.as_of is 'Date the data speak of';
comment on column mart.source_history.sha256 is 'Hash of the bytes';
comment on column mart.source_history.is_stale is
'True when the last good copy was used because the source could not be reached';
