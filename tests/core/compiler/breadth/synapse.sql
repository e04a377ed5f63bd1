CREATE TABLE dbo.stg_orders (order_id int NOT NULL, cust_id int NULL, order_dt date NULL, amt decimal(18,2) NULL, status varchar(10) NULL, region varchar(20) null)
CREATE TABLE dbo.orders (order_id int NOT NULL, cust_id int NULL, order_dt date NULL, amt decimal(18,2) NULL, status varchar(10) NULL, region varchar(20) null, etl_dt datetime null)
CREATE TABLE dbo.cust_ltv (cust_id int not null, first_order date null, last_order date null, orders int null, ltv decimal(38,2) null, avg_gap decimal(9,2) null, segment varchar(10) null, region_list varchar(500) null)
CREATE TABLE dbo.order_agg (region varchar(20) null, status varchar(10) null, yr int null, n int null, amt decimal(38,2) null, gid int null)
GO
CREATE PROC dbo.p_orders_ctas AS
BEGIN
 IF OBJECT_ID('dbo.orders_new') IS NOT NULL DROP TABLE dbo.orders_new;
 CREATE TABLE dbo.orders_new WITH (DISTRIBUTION = HASH(order_id), CLUSTERED COLUMNSTORE INDEX) AS
 SELECT o.order_id, o.cust_id, o.order_dt, o.amt, o.status, o.region, o.etl_dt FROM dbo.orders o WHERE NOT EXISTS (SELECT 1 FROM dbo.stg_orders s WHERE s.order_id = o.order_id)
 UNION ALL
 SELECT s.order_id, s.cust_id, s.order_dt, s.amt, s.status, s.region, GETDATE() FROM dbo.stg_orders s;
 RENAME OBJECT dbo.orders TO orders_old;
 RENAME OBJECT dbo.orders_new TO orders;
 DROP TABLE dbo.orders_old;
END
GO
CREATE PROC dbo.p_cust_ltv AS
SELECT cust_id, MIN(order_dt) AS first_order, MAX(order_dt) AS last_order, COUNT(*) AS orders, SUM(amt) AS ltv INTO #a FROM dbo.orders WHERE status NOT IN ('CANCEL') OR status IS NULL GROUP BY cust_id
SELECT cust_id, AVG(CAST(gap AS decimal(9,2))) AS avg_gap INTO #b FROM (SELECT cust_id, DATEDIFF(day, LAG(order_dt) OVER (PARTITION BY cust_id ORDER BY order_dt), order_dt) gap FROM dbo.orders) q GROUP BY cust_id
TRUNCATE TABLE dbo.cust_ltv
INSERT INTO dbo.cust_ltv (cust_id, first_order, last_order, orders, ltv, avg_gap)
SELECT a.cust_id, a.first_order, a.last_order, a.orders, a.ltv, b.avg_gap FROM #a a, #b b WHERE a.cust_id = b.cust_id
UPDATE dbo.cust_ltv SET segment = CASE WHEN ltv >= 1000 THEN 'gold' WHEN ltv >= 100 THEN 'silver' ELSE 'bronze' END
UPDATE c SET c.region_list = (SELECT STRING_AGG(r.region, ',') WITHIN GROUP (ORDER BY r.region) FROM (SELECT DISTINCT region FROM dbo.orders o WHERE o.cust_id = c.cust_id) r) FROM dbo.cust_ltv c
GO
CREATE PROC dbo.p_order_agg @yr int = NULL AS
BEGIN
 DELETE FROM dbo.order_agg WHERE yr = @yr OR @yr IS NULL
 INSERT dbo.order_agg
 SELECT region, status, YEAR(order_dt), COUNT(*), SUM(amt), GROUPING_ID(region, status)
 FROM dbo.orders WHERE (@yr IS NULL OR YEAR(order_dt) = @yr)
 GROUP BY GROUPING SETS ((region, status, YEAR(order_dt)), (region, YEAR(order_dt)), (YEAR(order_dt)))
END
GO
