-- Tables of which much was set aside, or whose points lie where nobody has anything: most likely their
-- latitude and longitude are swapped, or they are in another CRS than the catalogue says.
with loaded as (
    select source_id, raw_table, sum(rows_read) as rows_read
    from meta.source_load
    where rows_read > 0
    group by source_id, raw_table
),

rejected as (
    select
        source_id,
        raw_table,
        count(*) filter (where reject_code = 'outside_area') as outside_count,
        count(*) filter (where reject_code = 'invalid') as invalid_count,
        min_by(raw_row || ': ' || reason, raw_row) filter (where reject_code = 'outside_area') as outside_example,
        min_by(raw_row || ': ' || reason, raw_row) filter (where reject_code = 'invalid') as invalid_example
    from meta.rejected_row
    group by source_id, raw_table
),

aside as (
    select
        source_id,
        raw_table,
        'outside_at_most' as limit_name,
        'lies in the study area; else its coordinates may be swapped or in another CRS' as what,
        outside_count as row_count,
        outside_example as example
    from rejected
    union all by name
    select
        source_id,
        raw_table,
        'invalid_at_most' as limit_name,
        'can be read and placed' as what,
        invalid_count as row_count,
        invalid_example as example
    from rejected
),

limited as (
    select
        aside.*,
        loaded.rows_read,
        coalesce(own.at_most, $usual) as at_most,
        own.at_most is not null as is_own,
        coalesce(own.severity, case when source.access_kind in $live then 'error' else 'warn' end) as severity
    from aside
    inner join loaded using (source_id, raw_table)
    left join meta.source using (source_id)
    left join meta.source_limit as own using (source_id, raw_table, limit_name)
),

place as (
    select raw_table, sum(inside_count) as inside_count, sum(point_count) as point_count
    from meta.staged_point
    group by raw_table
),

misplaced as (
    select raw_table, 'points swapped' as what, swapped_count as row_count, swapped_row as raw_row
    from meta.staged_point
    union all
    select raw_table, 'null island', null_island_count, null_island_row
    from meta.staged_point
),

strange as (
    select
        raw.source_id,
        misplaced.raw_table,
        misplaced.what,
        sum(misplaced.row_count) as row_count,
        min(misplaced.raw_row) as raw_row,
        -- Of the points that should be here: a file of the world has most of them elsewhere.
        sum(misplaced.row_count) / (sum(misplaced.row_count) + any_value(place.inside_count)) as share
    from misplaced
    inner join place using (raw_table)
    inner join (select distinct source_id, raw_table from meta.raw_table) as raw using (raw_table)
    where misplaced.row_count > 0
    group by raw.source_id, misplaced.raw_table, misplaced.what
)

select
    raw_table || ' ' || limit_name as check_name,
    severity,
    format('table {} of source {}: all but {}% of its rows {}', raw_table, source_id, round(100 * at_most), what)
        as description,
    row_count as offending_count,
    [format('{:,} of {:,} rows', row_count, rows_read::bigint), 'row ' || example] as examples
from limited
-- Of few rows, a share says little; a limit of its own counts each.
where row_count > at_most * rows_read and (is_own or row_count >= $few)
union all
select
    raw_table || ' ' || what as check_name,
    if(share > $usual, 'error', 'warn') as severity,
    format(
        'table {} of source {}: no point {}', raw_table, source_id,
        case what
            when 'null island' then 'lies at 0 degrees of latitude and longitude'
            else 'has latitude and longitude swapped'
        end
    ) as description,
    row_count::bigint as offending_count,
    ['first row ' || raw_row] as examples
from strange
-- Single ones are typing errors, which staging sets aside.
where share > 0.01
order by offending_count desc, check_name;
