-- Parcels that share regions and gates are counted first, since they are few and their parcels many.
create table staging.region_gate as
unpivot (
    select
        score.workload,
        score.gates_failed,
        parcel.county_id as county,
        parcel.metro_id as metro,
        parcel.state_id as state,
        parcel.zone_id as zone,
        count(*) as parcel_count,
        count(*) filter (where score.gate_status <> 'fail') as candidate_count
    from mart.parcel_score as score
    inner join core.parcel using (parcel_no)
    group by all
) on county, metro, state, zone into name region_kind value region_id;
