select workload from meta.workload;
