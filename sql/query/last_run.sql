select study from last_run.meta.run;
