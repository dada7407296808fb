-- severity: error
-- description: every headroom says how it was found and what limits it
select substation_id, method, limit_kind
from mart.substation
where
    (method in ('load_flow', 'import_estimate', 'user')) is not true and headroom_mw_mid is not null
    or (
        headroom_mw_mid is not null
        and (limit_kind in ('branch', 'supply', 'no_supply', 'circuits', 'user')) is not true
    );
