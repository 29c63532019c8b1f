-- SPDX-License-Identifier: GPL-2.0
-- A table in memory that grows, and a sum over it again and again.
create table t(n integer primary key, a integer, b text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
insert into t select x, (x * 7919) % 10007, hex(x * 31337) from c;
create index i on t(a);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20)
select x, (select sum((a * x) % 1009) from t), (select count(*) from t where b like '%' || x || '%') from c;
