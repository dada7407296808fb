-- A figure with its unit, as people write it; where the factor's own name says the unit it is not said again.
create macro staging.figure(value, unit) as
case
    when unit = '' or unit is null then case when value = 1 then 'yes' else 'no' end
    when unit = 'mi' then format('{:.1f} mi', value)
    when unit = 'mw' then format('{:,} MW', round(value)::bigint)
    when unit = 'ms' then format('{:.1f} ms', value)
    when unit = 'm' then format('{:,} m', round(value)::bigint)
    when unit = 'kv' then format('{:,} kV', round(value)::bigint)
    when unit = 'musd' then format('{:.1f} M$', value)
    when unit = 'usd_per_mwh' then format('{:.1f} $/MWh', value)
    when unit = 'usd_per_acre' then format('{:,} $/acre', round(value)::bigint)
    when unit = 'usd_per_person' then format('{:,} $/person', round(value)::bigint)
    when unit = 'pct' then format('{:.1f} %', value)
    when unit = 'share' then format('{:.0f} %', 100 * value)
    when unit = 'acres' then format('{:,}', round(value)::bigint)
    when unit = 'degree_days' then format('{:,}', round(value)::bigint)
    when unit = 'count' then format('{:,}', round(value)::bigint)
    when unit = 'people' then format('{:,}', round(value)::bigint)
    else format('{} {}', value, unit)
end;
