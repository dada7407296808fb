-- What changed in the tables that were read since the last build: its database is attached as last_run.
with source as (
    select source_id, access_kind in $live as is_live from meta.source
),

counted as (
    select distinct
        now_table.source_id,
        now_table.raw_table,
        now_table.rows_read as now_count,
        last_table.rows_read as last_count,
        coalesce(source.is_live, false) as is_live
    from meta.raw_table as now_table
    inner join last_run.meta.raw_table as last_table
        on now_table.source_id = last_table.source_id and now_table.raw_table = last_table.raw_table
    left join source on now_table.source_id = source.source_id
    -- Of a case that the user gives, each is another's.
    where now_table.source_id not in ('gridstead_reference', 'network_case')
),

moved as (
    select
        counted.*,
        change.limit_name,
        change.share,
        coalesce(own.at_most, case when counted.is_live then change.usual end) as at_most,
        coalesce(own.severity, change.severity) as severity
    from counted
    cross join
        unnest([
            {
                'limit_name': 'fell_by_at_most',
                'share': 1 - now_count / nullif(last_count, 0),
                'usual': $fell,
                'severity': 'error'
            },
            {
                'limit_name': 'rose_by_at_most',
                'share': now_count / nullif(last_count, 0) - 1,
                'usual': $rose,
                'severity': 'warn'
            }
        ]) as by_kind (change)
    left join meta.source_limit as own
        on
            counted.source_id = own.source_id
            and counted.raw_table = own.raw_table
            and change.limit_name = own.limit_name
    -- In a table of few rows, one more or less is much; a limit of its own counts each.
    where own.at_most is not null or abs(now_count - last_count) >= $few
),

pair as (
    select
        counted.source_id,
        counted.raw_table,
        counted.is_live,
        unnest(
            case
                when last_column.column_name is null then [{'what': 'new columns', 'example': now_column.column_name}]
                when now_column.column_name is null then [{'what': 'columns gone', 'example': last_column.column_name}]
                else
                    case
                        when
                            'empty' not in (now_column.column_kind, last_column.column_kind)
                            and (
                                now_column.column_kind <> last_column.column_kind
                                or abs(now_column.number_share - last_column.number_share) > 0.5
                            )
                            then [{
                                'what': 'columns retyped',
                                'example': format(
                                    '{}: {} ({:.0f}% numbers), now {} ({:.0f}%)', now_column.column_name,
                                    last_column.column_kind, 100 * coalesce(last_column.number_share, 0),
                                    now_column.column_kind, 100 * coalesce(now_column.number_share, 0)
                                )
                            }]
                        else []
                    end
                    || case
                        when last_column.known_share - now_column.known_share > 0.5
                            then [{
                                'what': 'columns blank',
                                'example': format(
                                    '{}: known in {:.0f}% of the rows, now in {:.0f}%', now_column.column_name,
                                    100 * last_column.known_share, 100 * now_column.known_share
                                )
                            }]
                        else []
                    end
            end,
            recursive := true
        ),
        coalesce(now_column.column_no, last_column.column_no) as column_no
    from counted
    inner join (
        select
            coalesce(mine.source_id, theirs.source_id) as source_id,
            coalesce(mine.raw_table, theirs.raw_table) as raw_table,
            mine as now_column,
            theirs as last_column
        from (select distinct * from meta.raw_column) as mine
        full join (select distinct * from last_run.meta.raw_column) as theirs
            using (source_id, raw_table, column_name)
    ) as both_runs using (source_id, raw_table)
)

select
    raw_table || ' ' || limit_name as check_name,
    severity,
    format(
        'table {} of source {}: its rows are at most {:.0f}% {} than in the last build', raw_table, source_id,
        100 * at_most, if(limit_name = 'fell_by_at_most', 'fewer', 'more')
    ) as description,
    abs(now_count - last_count) as offending_count,
    [format('had {:,}, has {:,}', last_count, now_count)] as examples
from moved
where share > at_most
union all
select
    raw_table || ' ' || what as check_name,
    case when is_live and what <> 'new columns' then 'warn' else 'info' end as severity,
    format(
        'table {} of source {}: {} since the last build', raw_table, source_id,
        case what
            when 'new columns' then 'no column was added'
            when 'columns gone' then 'no column was dropped'
            when 'columns retyped' then 'no column became one of other values'
            else 'no column became blank'
        end
    ) as description,
    count(*) as offending_count,
    list(example order by column_no)[:5] as examples
from pair
group by source_id, raw_table, is_live, what
order by check_name;
