-- The best parcel of each region at each substation.
create table staging.region_best as
with candidate as (
    select
        score.workload,
        score.parcel_id,
        score.parcel_no,
        score.score,
        score.score_high,
        score.gate_status,
        metric.headroom_substation_id as substation_id,
        case workload.capacity_metric
            when 'headroom_mw_low' then metric.headroom_mw_low
            when 'headroom_mw_mid' then metric.headroom_mw_mid
            when 'headroom_mw_high' then metric.headroom_mw_high
        end as headroom_mw,
        -- least() passes over NULL: of headroom it must not, of the most that a site takes it may.
        case when headroom_mw is not null then least(headroom_mw, workload.max_site_mw) end as capacity_mw,
        workload.target_mw,
        parcel.county_id as county,
        parcel.metro_id as metro,
        parcel.state_id as state,
        parcel.zone_id as zone
    from mart.parcel_score as score
    inner join meta.workload using (workload)
    inner join core.parcel using (parcel_id)
    inner join core.parcel_metric as metric using (parcel_id)
    where score.gate_status <> 'fail' and metric.headroom_substation_id is not null
),

located as (
    unpivot candidate on county, metro, state, zone into name region_kind value region_id
)

select * from located
where capacity_mw > 0
qualify row_number() over (
    partition by workload, region_kind, region_id, substation_id
    order by gate_status = 'unknown', score desc, parcel_id
) = 1;
