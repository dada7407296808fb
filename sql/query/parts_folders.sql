-- Folders of this machine that views of a build read.
select folder
from meta.parts
where view_name is not null;
