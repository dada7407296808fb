select * from meta.workload order by workload;
