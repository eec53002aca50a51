-- What a store is told by, whoever reaches it and by whatever address: a worker with another one than the api's is refused when it joins.
create table spillway.identity (
  one boolean primary key default true,
  id text not null default gen_random_uuid()::text,
  constraint identity_is_one_row check (one)
);
insert into spillway.identity default values;
