insert into meta.check_result values ($name, $severity, $description, $count, $examples);
