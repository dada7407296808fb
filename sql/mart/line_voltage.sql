create table mart.line_voltage (
    line_id varchar,
    kv double,
    is_inferred boolean,
    confidence double,
    how varchar
);
comment on table mart.line_voltage is
'Voltage that each mapped line counts with where circuits are built from the courses of lines; empty with a network';
comment on column mart.line_voltage.line_id is 'Line, as in core.line';
comment on column mart.line_voltage.kv is 'Voltage that it counts with, kV; NULL when nothing tells, and the line is left out';
comment on column mart.line_voltage.is_inferred is 'Whether its voltage class is inferred from what it touches';
comment on column mart.line_voltage.confidence is 'Confidence of the voltage, 0 to 1; NULL when it is unknown';
comment on column mart.line_voltage.how is
'given (the class; the voltage within it may be inferred), inferred, unknown, or dc for direct current';

insert into mart.line_voltage by name
select
    line_id::varchar as line_id,
    kv::double as kv,
    is_inferred::boolean as is_inferred,
    confidence::double as confidence,
    how::varchar as how
from read_parquet($line_path)
order by line_id;
