select workload, title, summary, target_mw from meta.workload order by workload desc;
