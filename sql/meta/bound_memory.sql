-- Half of the memory is for the database, which spills what it cannot hold; the rest of the run needs the other half.
set temp_directory = $spill;
set memory_limit = '50%';
