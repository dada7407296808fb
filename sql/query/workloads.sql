select workload, title, summary, target_mw, objective, design_mw from meta.workload order by rowid;
