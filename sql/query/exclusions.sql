select excluded, why from meta.exclusion order by exclusion_no;
