-- Sources call a metro of a million people a major one; the profiles of a study may ask for more or fewer.
update core.metro set is_major = metro_people >= $people
where is_major is distinct from (metro_people >= $people) and metro_people is not null;
