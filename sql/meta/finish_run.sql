update meta.run set finished_at = $now, seconds = map($names, $values);
