create table meta.run (
    run_id varchar primary key,
    study varchar,
    title varchar,
    started_at timestamp,
    finished_at timestamp,
    code_version varchar,
    inputs_sha256 varchar,
    parcel_kind varchar,
    parcel_count bigint,
    kept_count bigint,
    divided_count bigint,
    h3_resolution integer,
    area varchar[],
    is_synthetic boolean,
    limits varchar[],
    removed varchar[],
    seconds map(varchar, double)
);
comment on table meta.run is 'The run that made this build';
comment on column meta.run.run_id is 'Id of the run';
comment on column meta.run.study is 'Id of the study';
comment on column meta.run.title is 'Title of the study';
comment on column meta.run.started_at is 'When the run started, UTC';
comment on column meta.run.finished_at is 'When the build was published, UTC';
comment on column meta.run.code_version is 'Hash of the code, SQL, studies and profiles that ran';
comment on column meta.run.inputs_sha256 is 'Hash over the hashes of all inputs and of the code: equal means an equal build';
comment on column meta.run.parcel_kind is 'h3_cell or assessor';
comment on column meta.run.parcel_count is 'Parcels that were measured and ranked';
comment on column meta.run.kept_count is 'Of them, those that this build holds in full: all, or the first of each workload where parcels are measured in parts';
comment on column meta.run.divided_count is 'Parcels that the land was divided into; those that could not be measured are in meta.rejected_row';
comment on column meta.run.h3_resolution is 'H3 resolution of generated cells; NULL for parcel files';
comment on column meta.run.area is 'States, counties or file that the run was narrowed to';
comment on column meta.run.is_synthetic is 'True when the grid behind the results is synthetic';
comment on column meta.run.limits is 'Honest limits of the study';
comment on column meta.run.removed is 'Factors and gates that the study never has, taken out of the profiles by name';
comment on column meta.run.seconds is 'Seconds by step; a reused step says 0';

create table meta.source (
    source_id varchar primary key,
    title varchar,
    theme varchar,
    access_kind varchar,
    version varchar,
    as_of varchar,
    licence varchar,
    data_terms varchar,
    attribution varchar,
    is_synthetic boolean,
    is_exportable boolean,
    is_stale boolean,
    origin varchar,
    sha256 varchar,
    bytes bigint,
    fetched_at timestamp
);
comment on table meta.source is 'Sources of this build, as pulled';
comment on column meta.source.source_id is 'Catalogue id';
comment on column meta.source.title is 'Title';
comment on column meta.source.theme is 'Theme';
comment on column meta.source.access_kind is 'How it is fetched';
comment on column meta.source.version is 'Pinned version';
comment on column meta.source.as_of is 'Date the data speak of';
comment on column meta.source.licence is 'Licence of the artefact';
comment on column meta.source.data_terms is 'Terms of the data themselves';
comment on column meta.source.attribution is 'Attribution to print';
comment on column meta.source.is_synthetic is 'Whether the data are synthetic';
comment on column meta.source.is_exportable is 'Whether the terms let exports carry it';
comment on column meta.source.is_stale is 'True when the last good copy was used because the source could not be reached';
comment on column meta.source.origin is 'cache, mirror, network or repository';
comment on column meta.source.sha256 is 'Hash of the bytes';
comment on column meta.source.bytes is 'Size';
comment on column meta.source.fetched_at is 'When the bytes were fetched, UTC';

create table meta.layer_source (
    layer varchar,
    source_id varchar,
    row_count bigint
);
comment on table meta.layer_source is 'Which source fills which layer, with how many rows';
comment on column meta.layer_source.layer is 'Canonical layer, or slope, which is a raster';
comment on column meta.layer_source.source_id is 'Source';
comment on column meta.layer_source.row_count is 'Rows of the layer that come from it; NULL for a raster';

create table meta.left_out_parcel (
    parcel_id varchar,
    reason varchar
);
comment on table meta.left_out_parcel is 'Cells and parcels that were not ranked because they hold too little land or lie outside the area';
comment on column meta.left_out_parcel.parcel_id is 'Cell or parcel';
comment on column meta.left_out_parcel.reason is 'Why';

create table meta.exclusion (
    exclusion_no integer,
    layer varchar,
    raster varchar,
    excluded varchar,
    buffer_m double,
    why varchar
);
comment on table meta.exclusion is 'Ground that the study counts as not buildable, and why; empty where it declares none';
comment on column meta.exclusion.exclusion_no is 'Position in the study, from 1';
comment on column meta.exclusion.layer is 'Canonical layer whose shapes exclude; NULL for a raster';
comment on column meta.exclusion.raster is 'Catalogue id of the raster whose cells exclude; NULL for a layer';
comment on column meta.exclusion.excluded is 'What of it excludes, in words';
comment on column meta.exclusion.buffer_m is 'Metres around it that are excluded too';
comment on column meta.exclusion.why is 'Why nothing is built there';

create table meta.check_result (
    check_name varchar,
    severity varchar,
    description varchar,
    offending_count bigint,
    examples varchar[]
);
comment on table meta.check_result is 'Checks that ran before publishing; an error-level row stops the publication';
comment on column meta.check_result.check_name is 'File under sql/checks';
comment on column meta.check_result.severity is 'error, warn or info';
comment on column meta.check_result.description is 'What it checks';
comment on column meta.check_result.offending_count is 'Rows that offend; 0 is good';
comment on column meta.check_result.examples is 'First offending rows';

create table meta.workload_parcel (
    workload varchar,
    pass_count bigint,
    unknown_count bigint,
    fail_count bigint,
    kept_rank bigint
);
comment on table meta.workload_parcel is 'How the gates of each workload judge all parcels that were measured';
comment on column meta.workload_parcel.workload is 'Workload';
comment on column meta.workload_parcel.pass_count is 'Parcels that pass all gates';
comment on column meta.workload_parcel.unknown_count is 'Parcels that fail no gate and have one that cannot be judged';
comment on column meta.workload_parcel.fail_count is 'Parcels that fail a gate';
comment on column meta.workload_parcel.kept_rank is
'Rank down to which this build holds every parcel in full: the last rank, unless parcels are measured in parts';

create table meta.partition (
    piece varchar,
    parcel_partition varchar,
    row_count bigint,
    measured_count bigint,
    content_sha256 varchar
);
comment on table meta.partition is 'Pieces that parcels were measured in by a cluster; empty where one process measured them';
comment on column meta.partition.piece is 'Name of the piece';
comment on column meta.partition.parcel_partition is 'H3 cell of resolution 2 that holds its parcels';
comment on column meta.partition.row_count is 'Parcels of the piece';
comment on column meta.partition.measured_count is 'Of them, those that were measured; the others are in meta.rejected_row';
comment on column meta.partition.content_sha256 is
'Hash of the measured values in the order of parcel_id, whoever measured them and however they are stored';

create table meta.parts (
    part_kind varchar,
    folder varchar,
    view_name varchar,
    metric_count bigint,
    note varchar
);
comment on table meta.parts is 'Where all parcels are that were measured in parts; empty where one process measured them';
comment on column meta.parts.part_kind is 'parcel, parcel_metric, parcel_score or parcel_rank';
comment on column meta.parts.folder is 'Folder or address of the Parquet files';
comment on column meta.parts.view_name is 'View that reads them; NULL where there is none';
comment on column meta.parts.metric_count is 'Metrics that are known of any parcel: what known_share is a share of; NULL but for parcel_metric';
comment on column meta.parts.note is 'Why there is no view; NULL where there is one';
