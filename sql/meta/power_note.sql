create table meta.power_note (
    code varchar,
    subject_kind varchar,
    subject_id varchar,
    detail varchar
);
comment on table meta.power_note is 'What was odd in the network case and how it was handled';
comment on column meta.power_note.code is 'Kind of note';
comment on column meta.power_note.subject_kind is 'branch, bus, generator, substation or case';
comment on column meta.power_note.subject_id is 'Id of what it is about; NULL when it is about many';
comment on column meta.power_note.detail is 'What was odd and how it was handled';

insert into meta.power_note by name
select
    code,
    subject_kind,
    subject_id,
    detail
from read_parquet($note_path)
order by code, subject_kind, subject_id;
