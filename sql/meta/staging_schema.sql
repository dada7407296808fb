create schema if not exists staging;
create schema if not exists raw;
