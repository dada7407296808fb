create macro mart.scaled_weights(asked_by, workload_id, weights := map {}) as (
    with weighed as (
        select
            metric,
            rowid as factor_no,
            coalesce(map_extract_value(weights::map(varchar, double), metric), profile_weight) as weight
        from meta.factor
        where workload = workload_id and not is_removed
    )

    select
        case
            when count(*) = 0 then error(asked_by || ': there is no workload ' || workload_id)
            when not list_has_all(list(metric), map_keys(weights::map(varchar, double)))
                then error(asked_by || ': weights name a metric that is no factor in use of ' || workload_id)
            when min(weight) < 0 or sum(weight) = 0
                then error(asked_by || ': weights must not be negative, nor all be 0')
            else map_from_entries(list((metric, weight / sum_weight) order by factor_no))
        end
    from (select *, sum(weight order by factor_no) over () as sum_weight from weighed)
);
comment on macro mart.scaled_weights is
'Weights of a workload''s factors, those named and else those of the profile, scaled to sum to 1, by metric: what mart.rank_parcels and mart.rank_regions rank by. asked_by begins what it says of weights that it cannot use';
