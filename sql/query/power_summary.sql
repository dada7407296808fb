select
    count(*) as substation_count,
    count(headroom_mw_mid) as known_count,
    count(*) filter (where method = 'load_flow') as load_flow_count,
    count(*) filter (where method = 'import_estimate') as import_estimate_count,
    count(*) filter (where method = 'user') as user_count,
    count(*) filter (where is_inferred) as inferred_count,
    count(*) filter (where headroom_mw_mid <= 0) as zero_count,
    (select count(*) from meta.power_waived where outage_branch_id is null) as waived_element_count,
    (select count(*) from meta.power_waived where outage_branch_id is not null) as waived_pair_count
from mart.substation;
