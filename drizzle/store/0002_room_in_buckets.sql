-- A batch of replay updates half of the buckets of a page at once, and what it replaces can go only when it is committed: pages filled to 70
-- had no room for that. The updates that found none went elsewhere, left dead entries in the index, and a vacuum that clears them reads
-- all of the index: 20 ms at 200,000 buckets, 60 at 800,000, every few seconds of a replay, and on an embedded store nobody is served
-- meanwhile. Filled to 45 it is 10 to 18 ms, however many there are, for 90 bytes of disk a bucket.
alter table spillway.buckets set (fillfactor = 45);
