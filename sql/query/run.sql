select * from meta.run;
