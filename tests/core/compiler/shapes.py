"""Procedures of many shapes over the tests' warehouse, each with the table it is compiled for."""

# ruff: noqa: E501 - procedures as people write them
from __future__ import annotations

SHAPES: dict[str, tuple[str, str]] = {
    "upd_left": (
        "silver.customer",
        """
CREATE PROC silver.p AS
UPDATE t SET City = ISNULL(b.City, 'none'), UpdatedAt = GETDATE() FROM silver.Customer t LEFT JOIN bronze.Customer b ON b.CustomerID = t.CustomerID WHERE t.FullName IS NULL OR b.City = 'a'
INSERT INTO silver.Customer (CustomerID, FullName) SELECT CustomerID, FirstName FROM bronze.Customer b WHERE NOT EXISTS (SELECT * FROM silver.Customer c WHERE c.CustomerID = b.CustomerID)
""",
    ),
    "upd_left2": (
        "silver.customer",
        """
CREATE PROC silver.p AS
UPDATE t SET City = b.City FROM silver.Customer t LEFT JOIN bronze.Customer b ON b.CustomerID = t.CustomerID
INSERT INTO silver.Customer (CustomerID, FullName) SELECT CustomerID, FirstName FROM bronze.Customer b WHERE CustomerID NOT IN (SELECT CustomerID FROM silver.Customer)
""",
    ),
    "del_left": (
        "silver.customer",
        """
CREATE PROC silver.p AS
DELETE t FROM silver.Customer t LEFT JOIN bronze.Customer b ON b.CustomerID = t.CustomerID WHERE b.CustomerID IS NULL AND t.City <> 'a'
INSERT INTO silver.Customer (CustomerID, City) SELECT CustomerID, City FROM bronze.Customer b WHERE CustomerID NOT IN (SELECT CustomerID FROM silver.Customer)
""",
    ),
    "multi_ins": (
        "silver.dimcustomer",
        """
CREATE PROC silver.p AS
TRUNCATE TABLE silver.DimCustomer
INSERT INTO silver.DimCustomer (CustomerID, FullName, IsCurrent) SELECT CustomerID, FirstName, 0 FROM bronze.Customer WHERE City IS NULL
INSERT INTO silver.DimCustomer (CustomerID, FullName, IsCurrent) SELECT CustomerID, LastName, 1 FROM bronze.Customer WHERE City IS NOT NULL
INSERT INTO silver.DimCustomer (CustomerID, FullName) SELECT MAX(CustomerKey), 'keys' FROM silver.DimCustomer HAVING MAX(CustomerKey) IS NOT NULL
UPDATE silver.DimCustomer SET ValidFrom = GETDATE(), FullName = CASE WHEN FullName IS NULL THEN 'x' ELSE FullName END WHERE IsCurrent <> 0
""",
    ),
    "self": (
        "silver.dailysales",
        """
CREATE PROC silver.p AS
INSERT INTO silver.DailySales (OrderDate, Orders) SELECT DATEADD(day, 1, MAX(OrderDate)), COUNT(*) FROM silver.DailySales WHERE OrderDate IS NOT NULL GROUP BY Orders
INSERT INTO silver.DailySales (OrderDate, Orders, Amount) SELECT OrderDate, SUM(Qty), SUM(Amount) / NULLIF(SUM(Qty), 0) FROM bronze.Orders WHERE OrderDate IS NOT NULL GROUP BY OrderDate
""",
    ),
    "ifelse": (
        "silver.factorders",
        """
CREATE PROC silver.p @a int, @b varchar(10) = NULL AS
IF @a > 2 BEGIN
 IF @b IS NULL UPDATE silver.FactOrders SET Qty = Qty + @a WHERE CustomerID = 1
 ELSE DELETE FROM silver.FactOrders WHERE CustomerID = 2
 INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders WHERE Status = @b OR @b IS NULL
END
ELSE BEGIN
 DELETE FROM silver.FactOrders WHERE Qty IS NULL
 IF EXISTS (SELECT 1 FROM bronze.Orders WHERE CustomerID IS NULL) INSERT INTO silver.FactOrders (OrderID, Qty) VALUES (@a, 7), (@a + 1, NULL)
END
UPDATE f SET f.Amount = o.Amount FROM silver.FactOrders f JOIN bronze.Orders o ON o.OrderID = f.OrderID
""",
    ),
    "ret": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
DECLARE @n int, @m int = 5
SELECT @n = COUNT(*), @m = MIN(Qty) FROM bronze.Orders
IF @n = 0 RETURN
IF @m IS NULL OR @m > 3
BEGIN
 INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders WHERE Qty > @m
 RETURN 1
END
DELETE FROM silver.FactOrders WHERE OrderID = @m
INSERT INTO silver.FactOrders (OrderID, Qty) SELECT TOP 2 OrderID, @m FROM bronze.Orders ORDER BY OrderID DESC
""",
    ),
    "win": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
DELETE FROM silver.FactOrders
SELECT OrderID, CustomerID, Qty, ROW_NUMBER() OVER (PARTITION BY CustomerID ORDER BY Qty DESC, OrderID) rn, SUM(Qty) OVER (PARTITION BY CustomerID) tot INTO #r FROM bronze.Orders
SELECT r.OrderID, r.CustomerID, LAG(r.Qty) OVER (PARTITION BY r.CustomerID ORDER BY r.rn) AS prev INTO #p FROM #r r WHERE r.rn <= 2
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty, Amount) SELECT r.OrderID, r.CustomerID, ISNULL(p.prev, -1), r.tot * 1.0 / r.rn FROM #r r LEFT JOIN #p p ON p.OrderID = r.OrderID
UNION ALL SELECT -OrderID, NULL, 0, 0 FROM #p WHERE prev IS NULL
""",
    ),
    "outdel": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
DECLARE @gone TABLE (id int, d date)
DELETE FROM silver.FactOrders OUTPUT deleted.OrderID, deleted.OrderDate INTO @gone WHERE CustomerID IN (SELECT CustomerID FROM bronze.Customer)
INSERT INTO silver.FactOrders (OrderID, OrderDate) SELECT -id, d FROM @gone WHERE id > 0
INSERT INTO silver.FactOrders (OrderID, CustomerID) OUTPUT inserted.OrderID, inserted.OrderDate INTO @gone SELECT OrderID, CustomerID FROM bronze.Orders
UPDATE silver.FactOrders SET Qty = (SELECT COUNT(*) FROM @gone)
""",
    ),
    "mergeout": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
CREATE TABLE #ch (act nvarchar(10), oldid int, newcity nvarchar(50), oldcity nvarchar(50))
MERGE silver.Customer AS t USING bronze.Customer AS s ON t.CustomerID = s.CustomerID
WHEN MATCHED AND t.City IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET City = s.City, FullName = s.FirstName + s.LastName
WHEN NOT MATCHED AND s.City <> 'b' THEN INSERT (CustomerID, City) VALUES (s.CustomerID, s.City)
WHEN NOT MATCHED BY SOURCE AND t.UpdatedAt IS NULL THEN UPDATE SET UpdatedAt = GETDATE()
OUTPUT $action, deleted.CustomerID, inserted.City, deleted.City INTO #ch;
TRUNCATE TABLE silver.FactOrders
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT CASE act WHEN 'INSERT' THEN 1 WHEN 'UPDATE' THEN 2 ELSE 3 END, oldid, LEN(ISNULL(newcity, oldcity)) FROM #ch
""",
    ),
    "mergeout2": (
        "silver.customer",
        """
CREATE PROC silver.p AS
CREATE TABLE #ch (act nvarchar(10), oldid int, newcity nvarchar(50), oldcity nvarchar(50))
MERGE silver.Customer AS t USING bronze.Customer AS s ON t.CustomerID = s.CustomerID
WHEN MATCHED AND t.City IS NULL THEN DELETE
WHEN MATCHED THEN UPDATE SET City = s.City, FullName = s.FirstName + s.LastName
WHEN NOT MATCHED AND s.City <> 'b' THEN INSERT (CustomerID, City) VALUES (s.CustomerID, s.City)
WHEN NOT MATCHED BY SOURCE AND t.UpdatedAt IS NULL THEN UPDATE SET UpdatedAt = GETDATE()
OUTPUT $action, deleted.CustomerID, inserted.City, deleted.City INTO #ch;
TRUNCATE TABLE silver.FactOrders
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT CASE act WHEN 'INSERT' THEN 1 WHEN 'UPDATE' THEN 2 ELSE 3 END, oldid, LEN(ISNULL(newcity, oldcity)) FROM #ch
""",
    ),
    "keyupd": (
        "silver.customer",
        """
CREATE PROC silver.p AS
UPDATE silver.Customer SET CustomerID = CustomerID + 100 WHERE CustomerID < 100 AND NOT EXISTS (SELECT 1 FROM bronze.Customer b WHERE b.CustomerID = silver.Customer.CustomerID)
UPDATE silver.Customer SET City = 'x' WHERE CustomerID IN (SELECT MIN(CustomerID) FROM silver.Customer)
INSERT INTO silver.Customer (CustomerID) SELECT CustomerID FROM bronze.Customer EXCEPT SELECT CustomerID FROM silver.Customer
""",
    ),
    "pivot": (
        "silver.dailysales",
        """
CREATE PROC silver.p AS
TRUNCATE TABLE silver.DailySales
INSERT INTO silver.DailySales (OrderDate, Amount, Orders) SELECT OrderDate, [a], [b] FROM (SELECT OrderDate, Status, Amount FROM bronze.Orders WHERE OrderDate IS NOT NULL) s PIVOT (SUM(Amount) FOR Status IN ([a], [b])) p
""",
    ),
    "strag": (
        "silver.customer",
        """
CREATE PROC silver.p AS
DELETE silver.Customer
INSERT INTO silver.Customer (CustomerID, FullName, City) SELECT c.CustomerID, LEFT(STRING_AGG(ISNULL(o.Status, '-'), ',') WITHIN GROUP (ORDER BY o.OrderID), 100), STUFF((SELECT ',' + x.Status FROM bronze.Orders x WHERE x.CustomerID = c.CustomerID ORDER BY x.OrderID FOR XML PATH('')), 1, 1, '') FROM bronze.Customer c JOIN bronze.Orders o ON o.CustomerID = c.CustomerID GROUP BY c.CustomerID
""",
    ),
    "rollup": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
TRUNCATE TABLE silver.FactOrders
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT GROUPING(CustomerID) + COUNT(*), CustomerID, SUM(Qty) FROM bronze.Orders GROUP BY ROLLUP(CustomerID)
INSERT INTO silver.FactOrders (OrderID, CustomerID) SELECT o.OrderID, x.c FROM bronze.Orders o CROSS APPLY (SELECT TOP 2 CustomerID c FROM bronze.Customer c WHERE c.CustomerID >= o.Qty ORDER BY c.CustomerID) x OUTER APPLY (SELECT MAX(Qty) m FROM bronze.Orders z WHERE z.CustomerID = x.c) y WHERE ISNULL(y.m, 0) < 5
""",
    ),
    "tempid": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
CREATE TABLE #t (rid int IDENTITY(1,1), id int, q int)
INSERT INTO #t (id, q) SELECT OrderID, Qty FROM bronze.Orders ORDER BY OrderID DESC
UPDATE #t SET q = rid WHERE q IS NULL
DELETE FROM #t WHERE rid % 3 = 0
INSERT INTO silver.FactOrders (OrderID, Qty) SELECT id, q * 10 + rid FROM #t t WHERE NOT EXISTS (SELECT 1 FROM silver.FactOrders f WHERE f.OrderID = t.id)
""",
    ),
    "scd_merge": (
        "silver.dimcustomer",
        """
CREATE PROC silver.p AS
MERGE silver.DimCustomer d USING bronze.Customer c ON d.CustomerID = c.CustomerID AND d.IsCurrent = 1
WHEN MATCHED AND (ISNULL(d.City,'') <> ISNULL(c.City,'')) THEN UPDATE SET IsCurrent = 0, ValidTo = GETDATE()
WHEN NOT MATCHED BY SOURCE AND d.IsCurrent = 1 THEN UPDATE SET ValidTo = GETDATE();
INSERT INTO silver.DimCustomer (CustomerID, City, ValidFrom, IsCurrent) SELECT c.CustomerID, c.City, GETDATE(), 1 FROM bronze.Customer c WHERE NOT EXISTS (SELECT 1 FROM silver.DimCustomer d WHERE d.CustomerID = c.CustomerID AND d.IsCurrent = 1 AND d.ValidTo IS NULL)
""",
    ),
    "varquery": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
DECLARE @max int = (SELECT MAX(OrderID) FROM silver.FactOrders), @d date, @txt varchar(20) = 'q' + CAST((SELECT COUNT(*) FROM bronze.Customer) AS varchar(5))
SET @max = ISNULL(@max, 0)
SELECT TOP 1 @d = OrderDate FROM bronze.Orders WHERE OrderDate IS NOT NULL ORDER BY OrderDate DESC, OrderID
IF @d IS NULL SET @d = '20200101' ELSE SET @d = DATEADD(day, -1, @d)
INSERT INTO silver.FactOrders (OrderID, OrderDate, Qty) SELECT OrderID, @d, LEN(@txt) FROM bronze.Orders WHERE OrderID > @max AND (OrderDate >= @d OR OrderDate IS NULL)
""",
    ),
    "nullcmp": (
        "silver.customer",
        """
CREATE PROC silver.p AS
UPDATE c SET c.City = b.City, c.UpdatedAt = GETDATE() FROM silver.Customer c, bronze.Customer b WHERE b.CustomerID = c.CustomerID AND NOT (c.City = b.City)
DELETE c FROM silver.Customer AS c WHERE NOT EXISTS (SELECT 1 FROM bronze.Customer WHERE CustomerID = c.CustomerID) AND (c.City = 'a' OR c.FullName LIKE '%b%')
INSERT silver.Customer (CustomerID, City, FullName) SELECT b.CustomerID, b.City, CONCAT(b.FirstName, ' ', b.LastName) FROM bronze.Customer b LEFT OUTER JOIN silver.Customer c ON b.CustomerID = c.CustomerID WHERE c.CustomerID IS NULL
""",
    ),
    "cte_upd": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
WITH x AS (SELECT CustomerID, SUM(Qty) q, MAX(OrderDate) d FROM bronze.Orders GROUP BY CustomerID)
UPDATE f SET f.Qty = x.q, f.OrderDate = x.d FROM silver.FactOrders f JOIN x ON x.CustomerID = f.CustomerID WHERE x.q > 2
;WITH n AS (SELECT OrderID, CustomerID, Qty, RANK() OVER (ORDER BY Qty DESC) r FROM bronze.Orders)
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT n.OrderID, n.CustomerID, n.r FROM n WHERE n.r <= 3 AND NOT EXISTS (SELECT 1 FROM silver.FactOrders f WHERE f.OrderID = n.OrderID AND ISNULL(f.CustomerID, -1) = ISNULL(n.CustomerID, -1))
""",
    ),
    "case_in": (
        "silver.factorders",
        """
CREATE PROC silver.p @s varchar(20), @n decimal(10,2) = 1.5, @f bit = 1 AS
DECLARE @k int = CASE WHEN @f = 1 THEN 2 ELSE 3 END
SET @k += 1
IF @s IN ('a','b') OR @n > 1 SET @k = @k * 2
DELETE FROM silver.FactOrders WHERE OrderID IN (SELECT OrderID FROM bronze.Orders WHERE Status = @s) AND @f = 1
INSERT INTO silver.FactOrders (OrderID, Amount, Qty) SELECT OrderID, Amount * @n / @k, CASE Status WHEN 'a' THEN @k WHEN 'b' THEN 0 END FROM bronze.Orders
""",
    ),
    "trunc_if": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
IF (SELECT COUNT(*) FROM bronze.Orders) > 2
BEGIN
 TRUNCATE TABLE silver.FactOrders
 INSERT INTO silver.FactOrders (OrderID) SELECT OrderID FROM bronze.Orders
END
ELSE IF EXISTS (SELECT 1 FROM bronze.Orders)
 UPDATE silver.FactOrders SET Qty = 0 WHERE OrderID IN (SELECT OrderID FROM bronze.Orders)
UPDATE silver.FactOrders SET CustomerID = 9 WHERE Qty IS NULL
""",
    ),
    "dim_key": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
MERGE silver.Customer t USING bronze.Customer s ON t.CustomerID = s.CustomerID WHEN MATCHED THEN UPDATE SET City = s.City WHEN NOT MATCHED THEN INSERT (CustomerID, City) VALUES (s.CustomerID, s.City);
INSERT INTO silver.FactOrders (OrderID, CustomerID, Amount) SELECT o.OrderID, ISNULL(c.CustomerID, -1), o.Amount FROM bronze.Orders o LEFT JOIN silver.Customer c ON c.CustomerID = o.CustomerID AND c.City IS NOT NULL WHERE o.OrderID NOT IN (SELECT OrderID FROM silver.FactOrders)
""",
    ),
    "setops": (
        "silver.dailysales",
        """
CREATE PROC silver.p AS
TRUNCATE TABLE silver.DailySales
INSERT INTO silver.DailySales (OrderDate, Orders) SELECT OrderDate, COUNT(*) FROM (SELECT OrderDate, CustomerID FROM bronze.Orders UNION SELECT CAST(ModifiedDate AS date), CustomerID FROM bronze.Customer) u WHERE OrderDate IS NOT NULL GROUP BY OrderDate HAVING COUNT(*) >= 1
INSERT INTO silver.DailySales SELECT * FROM silver.DailySales WHERE Orders > 1
INSERT INTO silver.DailySales (OrderDate, Orders) SELECT OrderDate, 0 FROM bronze.Orders WHERE OrderDate IS NOT NULL INTERSECT SELECT CAST(ModifiedDate AS date), 0 FROM bronze.Customer
""",
    ),
    "nested_exec_if": (
        "silver.factorders",
        """
CREATE PROC silver.p @x int AS
DECLARE @t TABLE (id int, c int)
INSERT INTO @t SELECT OrderID, CustomerID FROM bronze.Orders WHERE Qty = @x OR Qty IS NULL
IF NOT EXISTS (SELECT * FROM @t) INSERT INTO @t VALUES (-1, NULL)
UPDATE t SET c = b.CustomerID FROM @t t JOIN bronze.Customer b ON b.CustomerID = t.id
DELETE @t WHERE c IS NULL AND id > 3
DECLARE @cnt int = (SELECT COUNT(*) FROM @t)
IF @cnt BETWEEN 1 AND 3 OR @x = 2
 INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT id, c, @cnt FROM @t
ELSE
 DELETE f FROM silver.FactOrders f INNER JOIN @t t ON t.id = f.OrderID
""",
    ),
    "merge_dup_on": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
MERGE INTO silver.FactOrders AS T USING (SELECT CustomerID, MAX(OrderID) AS OrderID, SUM(Amount) Amount FROM bronze.Orders WHERE CustomerID IS NOT NULL GROUP BY CustomerID) AS S
ON T.CustomerID = S.CustomerID AND T.Qty IS NULL
WHEN MATCHED AND S.Amount IS NOT NULL THEN UPDATE SET T.Amount = ISNULL(T.Amount, 0) + S.Amount
WHEN NOT MATCHED BY TARGET THEN INSERT (OrderID, CustomerID, Amount) VALUES (S.OrderID, S.CustomerID, S.Amount)
WHEN NOT MATCHED BY SOURCE AND T.OrderID > 3 THEN DELETE;
""",
    ),
    "dedupe_base": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
;WITH d AS (SELECT OrderID, Qty, ROW_NUMBER() OVER (PARTITION BY OrderID ORDER BY Qty, CustomerID, OrderDate, Amount) rn FROM silver.FactOrders)
DELETE d WHERE rn > 1
""",
    ),
    "first_match": (
        "silver.customer",
        """
CREATE PROC silver.p AS
UPDATE c SET City = h.City FROM silver.Customer c JOIN (SELECT CustomerID, City, ROW_NUMBER() OVER (PARTITION BY CustomerID ORDER BY ChangedAt DESC, City) rn FROM bronze.Changes) h ON h.CustomerID = c.CustomerID AND h.rn = 1
INSERT INTO silver.Customer (CustomerID, City) SELECT CustomerID, MAX(City) FROM bronze.Changes WHERE CustomerID IS NOT NULL AND CustomerID NOT IN (SELECT CustomerID FROM silver.Customer) GROUP BY CustomerID
""",
    ),
    "delete_left_without_key": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
DELETE f FROM silver.FactOrders f LEFT JOIN bronze.Changes h ON h.CustomerID = f.CustomerID WHERE h.ChangedAt IS NULL AND f.Qty > 0
""",
    ),
    "update_left_constant_without_key": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
UPDATE f SET Amount = f.Qty * 2 FROM silver.FactOrders f LEFT JOIN bronze.Orders o ON o.CustomerID = f.CustomerID WHERE ISNULL(o.Qty, 0) <> f.Qty OR f.Amount IS NULL
""",
    ),
    "update_left_same_value": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, Qty, CustomerID FROM bronze.Orders
UPDATE f SET Qty = ISNULL(o.CustomerID, -1) FROM silver.FactOrders f LEFT JOIN bronze.Orders o ON o.CustomerID = f.CustomerID WHERE f.Qty IS NULL OR f.Qty > 1
""",
    ),
    "update_inner_then_left": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
UPDATE f SET Qty = ISNULL(c.CustomerID, 0) FROM silver.FactOrders f JOIN bronze.Orders o ON o.CustomerID = f.CustomerID LEFT JOIN bronze.Customer c ON c.CustomerID = o.CustomerID WHERE f.Amount IS NULL
""",
    ),
    "update_cross_apply": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
UPDATE f SET Qty = f.Qty + m.Delta, Amount = CASE WHEN f.Qty + m.Delta < 0 THEN -1 ELSE 1 END FROM silver.FactOrders f CROSS APPLY (SELECT SUM(CASE o.Status WHEN 'a' THEN o.Qty ELSE -o.Qty END) AS Delta FROM bronze.Orders o WHERE o.CustomerID = f.CustomerID) m WHERE m.Delta IS NOT NULL
""",
    ),
    "update_outer_apply": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
UPDATE f SET OrderDate = l.OrderDate FROM silver.FactOrders f OUTER APPLY (SELECT TOP 1 o.OrderDate FROM bronze.Orders o WHERE o.CustomerID = f.CustomerID ORDER BY o.OrderDate DESC) l
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
""",
    ),
    "update_two_left_joins_without_key": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
UPDATE f SET Amount = ISNULL(o.Amount, 0), Qty = CASE WHEN c.City IS NULL THEN 0 ELSE f.Qty END FROM silver.FactOrders f LEFT JOIN bronze.Orders o ON o.OrderID = f.OrderID LEFT JOIN bronze.Customer c ON c.CustomerID = o.CustomerID WHERE o.Qty IS NULL OR c.City = 'a'
""",
    ),
    "computed_temp_column": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
CREATE TABLE #b (OrderID int NOT NULL, Opening decimal(18,2) NULL, Movement int, Closing AS (ISNULL(Opening, 0) + ISNULL(Movement, 0)))
INSERT INTO #b (OrderID, Opening, Movement) SELECT OrderID, Amount, Qty FROM bronze.Orders
UPDATE b SET Opening = 1 FROM #b b WHERE Opening IS NULL
INSERT INTO silver.FactOrders (OrderID, Amount) SELECT OrderID, Closing FROM #b WHERE Closing > 2
""",
    ),
    "update_output": (
        "silver.dimcustomer",
        """
CREATE PROC silver.p AS
DECLARE @closed TABLE (CustomerID int, OldCity nvarchar(50), NewCity nvarchar(50), IsCurrent bit)
UPDATE d SET IsCurrent = 0, ValidTo = '2024-01-01'
OUTPUT inserted.CustomerID, deleted.City, s.City, inserted.IsCurrent INTO @closed (CustomerID, OldCity, NewCity, IsCurrent)
FROM silver.DimCustomer d JOIN bronze.Customer s ON s.CustomerID = d.CustomerID
WHERE d.IsCurrent = 1 AND (d.City <> s.City OR d.City IS NULL)
INSERT INTO silver.DimCustomer (CustomerID, FullName, City, ValidFrom, IsCurrent)
SELECT CustomerID, OldCity, NewCity, '2024-01-01', 1 FROM @closed WHERE IsCurrent = 0
INSERT INTO silver.DimCustomer (CustomerID, City, IsCurrent)
SELECT s.CustomerID, s.City, 1 FROM bronze.Customer s WHERE NOT EXISTS (SELECT 1 FROM silver.DimCustomer d WHERE d.CustomerID = s.CustomerID)
""",
    ),
    "update_output_star": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
SELECT OrderID, CustomerID, OrderDate, Amount, Qty INTO #w FROM bronze.Orders
CREATE TABLE #o (a int, b int, c date, d decimal(18,4), e int)
UPDATE #w SET Amount = Amount / 3, Qty = Qty + 1 OUTPUT inserted.* INTO #o WHERE Qty > 1
INSERT INTO silver.FactOrders (OrderID, CustomerID, OrderDate, Amount, Qty) SELECT a, b, c, d, e FROM #o
""",
    ),
    "update_left_own_columns": (
        "silver.factorders",
        """
CREATE PROC silver.p AS
INSERT INTO silver.FactOrders (OrderID, CustomerID, Qty) SELECT OrderID, CustomerID, Qty FROM bronze.Orders
UPDATE f SET Amount = Qty * 2 FROM silver.FactOrders f LEFT JOIN bronze.Changes h ON h.CustomerID = f.CustomerID WHERE f.Amount IS NULL
""",
    ),
}
