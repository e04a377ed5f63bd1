"""Procedures that lean on what T-SQL does differently: NULLs, types, rounding, order, identity.

Each is compared with the interpreter on generated data (`test_hostile`). They are written as people
write them; what they have in common is that a plain transpilation of each would be wrong.
"""

from __future__ import annotations

DDL = """
CREATE TABLE src.Sale (
    SaleId int NOT NULL PRIMARY KEY, CustomerCode varchar(10) NULL, Region char(4) NULL,
    SoldAt datetime NULL, ShipDate date NULL, Qty int NULL, Small smallint NULL,
    Price decimal(9, 3) NULL, Paid money NULL, Flag bit NULL, Note nvarchar(40) NULL
)
GO
CREATE TABLE src.Client (
    ClientCode varchar(10) NOT NULL, FullName nvarchar(40) NULL, City varchar(20) NULL,
    ParentCode varchar(10) NULL, Rating tinyint NULL, Since smalldatetime NULL
)
GO
CREATE TABLE dw.Client (
    ClientKey int IDENTITY(1, 1) NOT NULL PRIMARY KEY, ClientCode varchar(10) NOT NULL,
    FullName nvarchar(40) NULL, City varchar(20) NULL DEFAULT ('unknown'),
    Rating tinyint NULL, LoadedAt datetime NOT NULL DEFAULT (GETDATE()),
    ValidTo datetime NULL, IsCurrent bit NOT NULL DEFAULT ((1))
)
GO
CREATE TABLE dw.Sale (
    SaleId int NOT NULL, ClientKey int NULL, DateKey int NULL, Qty int NULL,
    Amount decimal(12, 2) NULL, Share decimal(7, 4) NULL, Code varchar(5) NULL,
    SoldMinute smalldatetime NULL, SoldAt datetime NULL, Label nvarchar(30) NULL,
    Twice AS (Qty * 2)
)
GO
CREATE TABLE dw.Fact (
    K varchar(20) NULL, N int NULL, M bigint NULL, D decimal(18, 4) NULL, T varchar(60) NULL,
    F float NULL, W datetime NULL
)
GO
CREATE TABLE dw.Config (
    Name varchar(30) NOT NULL PRIMARY KEY, Setting varchar(30) NULL, At datetime NULL
)
"""

PROCEDURES: dict[str, str] = {
    "not in with nulls": """
CREATE PROCEDURE dw.LoadOrphans AS
BEGIN
    SET NOCOUNT ON
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N)
    SELECT CustomerCode, SaleId FROM src.Sale
    WHERE CustomerCode NOT IN (SELECT ParentCode FROM src.Client)
    INSERT INTO dw.Fact (K, N, T)
    SELECT CustomerCode, SaleId, 'outer' FROM src.Sale s
    WHERE NOT (s.Qty > 2) OR NOT (s.Note LIKE 'Be%') OR s.Region NOT IN ('Q1', NULL)
END
""",
    "integer arithmetic": """
CREATE PROC dw.LoadRatios
AS
    DELETE FROM dw.Fact;
    INSERT INTO dw.Fact (K, N, M, D, F)
    SELECT CustomerCode, Qty / 3, -Qty % 4, Qty / 3.0 + Small / 2, Qty * 1.0 / NULLIF(Small, 0)
    FROM src.Sale
    insert into dw.Fact (K, N, D, T)
    select CustomerCode, avg(Qty), avg(Price), cast(avg(Qty * 1.0) as varchar(20))
    from src.Sale group by CustomerCode
""",
    "assignment rounds and cuts": """
CREATE PROCEDURE dw.LoadSale
AS
BEGIN TRY
    TRUNCATE TABLE dw.Sale
    INSERT INTO dw.Sale (SaleId, DateKey, Qty, Amount, Share, Code, SoldMinute, SoldAt, Label)
    SELECT s.SaleId,
           CONVERT(int, CONVERT(char(8), s.SoldAt, 112)),
           s.Price,
           s.Price * s.Qty,
           s.Price / (s.Qty + 7),
           LEFT(s.CustomerCode, 3),
           s.SoldAt,
           s.ShipDate,
           ISNULL(s.Note, 'none given at all')
    FROM src.Sale AS s
END TRY
BEGIN CATCH
    THROW
END CATCH
""",
    "isnull takes the first type": """
CREATE PROCEDURE dw.LoadNames AS
    DECLARE @d varchar(3)
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, T, N)
    SELECT ISNULL(Region, 'abcdefgh'), COALESCE(Region, 'abcdefgh'), ISNULL(Small, 70000 - 60000)
    FROM src.Sale
    INSERT dw.Fact (K, T, N, D)
    SELECT ISNULL(@d, 'abcdefgh'), ISNULL(NULLIF(CustomerCode, 'a'), 'a longer text'), LEN('x  '),
           ISNULL(Flag, 7)
    FROM src.Sale
""",
    "length and padding": """
CREATE PROCEDURE dw.LoadLengths AS
BEGIN
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M, T)
    SELECT Region, LEN(Region), DATALENGTH(Region), Region + '|' + ISNULL(CustomerCode, '')
    FROM src.Sale
    INSERT dw.Fact (K, N, M, T)
    SELECT CustomerCode, LEN(Note + '  '), DATALENGTH(Note), CONCAT(Note, '-', Region, NULL,
        Qty, Price)
    FROM src.Sale
END
""",
    "dates and boundaries": """
CREATE PROCEDURE dw.LoadDates AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M, D, W)
    SELECT CustomerCode, DATEDIFF(month, SoldAt, ShipDate), DATEDIFF(week, SoldAt, ShipDate),
           DATEDIFF(hour, SoldAt, GETDATE()), DATEADD(month, 1, SoldAt)
    FROM src.Sale
    INSERT dw.Fact (K, N, M, D, W, T)
    SELECT CustomerCode, DATEPART(weekday, SoldAt), DATEPART(week, SoldAt), DATEDIFF(year,
        ShipDate, SoldAt),
           SoldAt + 1, DATENAME(month, ShipDate) + ' ' + CONVERT(varchar(7), SoldAt, 120)
    FROM src.Sale
    WHERE SoldAt BETWEEN '20240601' AND GETDATE() OR ShipDate >= DATEADD(day, -10,
        CAST(GETDATE() AS date))
""",
    "case takes the strongest type": """
CREATE PROCEDURE dw.LoadCases AS
    TRUNCATE TABLE dw.Fact
    INSERT INTO dw.Fact (K, N, D, T)
    SELECT CASE Region WHEN 'Q1  ' THEN 'A' WHEN NULL THEN 'never' ELSE 'rest' END,
           CASE WHEN Qty > 2 THEN Price ELSE Small END,
           CASE WHEN Flag = 1 THEN 1 WHEN Price > 1 THEN Price ELSE 0.5 END,
           IIF(Qty = 1, 'one', CustomerCode)
    FROM src.Sale
    INSERT INTO dw.Fact (N, D)
    SELECT SUM(CASE WHEN Flag = 1 THEN Qty END),
        COUNT(CASE WHEN Flag = 1 THEN 0 END) * 1.0 / NULLIF(COUNT(*), 0)
    FROM src.Sale
""",
    "counting": """
CREATE PROCEDURE dw.LoadCounts AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M, D)
    SELECT Region, COUNT(Qty), COUNT(DISTINCT CustomerCode), SUM(Paid)
    FROM src.Sale GROUP BY Region
    UNION
    SELECT NULL, COUNT(*), COUNT_BIG(DISTINCT Qty), MAX(Price) FROM src.Sale WHERE Qty > 100
    INSERT dw.Fact (K, N, M)
    SELECT Region, MIN(Qty), GROUPING(Region)
        FROM src.Sale GROUP BY ROLLUP(Region) HAVING COUNT(*) > 1
""",
    "later statements see earlier ones": """
CREATE PROCEDURE dw.LoadInSteps
AS
BEGIN
    TRUNCATE TABLE dw.Fact;
    INSERT INTO dw.Fact (K, N, M, D) SELECT CustomerCode, Qty, SaleId, Price FROM src.Sale
    UPDATE dw.Fact SET N = M, M = N WHERE K IS NOT NULL
    UPDATE f SET N = N + 1, D = N * 2 FROM dw.Fact f WHERE f.N > 1
    UPDATE dw.Fact SET T = CASE WHEN N > (SELECT AVG(N) FROM dw.Fact) THEN 'high' ELSE 'low' END
    DELETE FROM dw.Fact WHERE T = 'low' AND D < 1
    UPDATE dw.Fact SET K = 'none' WHERE K IS NULL OR T IS NULL
END
""",
    "merge with every branch": """
CREATE PROCEDURE dw.MergeClient @purge bit = 1
AS
    MERGE dw.Client WITH (HOLDLOCK) AS t
    USING (
        SELECT ClientCode, MAX(FullName) AS FullName, MAX(City) AS City, MIN(Rating) AS Rating
        FROM src.Client GROUP BY ClientCode
    ) AS s ON s.ClientCode = t.ClientCode AND t.IsCurrent = 1
    WHEN MATCHED AND s.Rating IS NULL THEN DELETE
    WHEN MATCHED AND ISNULL(s.City, '') <> ISNULL(t.City, '') THEN
        UPDATE SET City = s.City, FullName = s.FullName, LoadedAt = GETDATE()
    WHEN NOT MATCHED BY TARGET AND s.Rating > 1 THEN
        INSERT (ClientCode, FullName, Rating) VALUES (s.ClientCode, s.FullName, s.Rating)
    WHEN NOT MATCHED BY SOURCE AND @purge = 1 THEN UPDATE SET IsCurrent = 0, ValidTo = GETDATE();
""",
    "delete and insert the same keys": """
CREATE PROCEDURE dw.ReplaceClients AS
BEGIN
    BEGIN TRAN
    DELETE t FROM dw.Client t INNER JOIN src.Client s ON s.ClientCode = t.ClientCode
    INSERT INTO dw.Client (ClientCode, FullName, Rating)
    SELECT ClientCode, FullName, Rating FROM src.Client
    COMMIT
END
""",
    "surrogate keys looked up": """
CREATE PROCEDURE dw.LoadClientsAndSales
AS
BEGIN
    SET NOCOUNT ON;
    INSERT dw.Client (ClientCode, FullName, City)
    SELECT DISTINCT s.CustomerCode, 'n/a', s.Region
    FROM src.Sale s
    LEFT JOIN dw.Client c ON c.ClientCode = s.CustomerCode
    WHERE c.ClientKey IS NULL AND s.CustomerCode IS NOT NULL

    TRUNCATE TABLE dw.Sale
    INSERT INTO dw.Sale (SaleId, ClientKey, Qty, Code)
    SELECT s.SaleId, ISNULL((SELECT MAX(c.ClientKey) FROM dw.Client c
        WHERE c.ClientCode = s.CustomerCode), -1),
           s.Qty, SUBSTRING(s.CustomerCode, 1, 5)
    FROM src.Sale s
END
""",
    "expire and insert": """
CREATE PROCEDURE dw.VersionClients
AS
BEGIN
    DECLARE @now datetime = GETDATE();
    UPDATE d
    SET ValidTo = @now, IsCurrent = 0
    FROM dw.Client d
    JOIN src.Client s ON s.ClientCode = d.ClientCode
    WHERE d.IsCurrent = 1 AND EXISTS (SELECT s.FullName, s.City EXCEPT SELECT d.FullName, d.City)

    INSERT INTO dw.Client (ClientCode, FullName, City, Rating, LoadedAt)
    SELECT s.ClientCode, MAX(s.FullName), MAX(s.City), MAX(s.Rating), @now
    FROM src.Client s
    WHERE NOT EXISTS (SELECT 1 FROM dw.Client d WHERE d.ClientCode = s.ClientCode
        AND d.IsCurrent = 1)
    GROUP BY s.ClientCode
END
""",
    "patterns": """
CREATE PROCEDURE dw.LoadPatterns AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, T)
    SELECT CustomerCode, CHARINDEX('w', Note), REPLACE(Note, 'et', '[9]')
    FROM src.Sale
    WHERE Note LIKE '[F-G]am%' OR Note LIKE '%5[%]%' OR Note LIKE '_e[^x]%' ESCAPE '!'
        OR CustomerCode LIKE 'A1 '
    INSERT dw.Fact (K, N, T)
    SELECT STUFF(Note, 2, 1, '*'), PATINDEX('%[0-9]%', Note), REVERSE(LTRIM(Note)) FROM src.Sale
""",
    "top and ties": """
CREATE PROCEDURE dw.LoadTop AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N) SELECT TOP 2 WITH TIES CustomerCode, Qty FROM src.Sale ORDER BY Qty DESC
    INSERT dw.Fact (K, N, T)
    SELECT CustomerCode, Qty, 'first' FROM (
        SELECT CustomerCode, Qty, ROW_NUMBER() OVER (PARTITION BY CustomerCode
            ORDER BY Qty DESC, SaleId) AS rn
        FROM src.Sale) x
    WHERE rn = 1
    INSERT dw.Fact (K, N, M, T)
    SELECT CustomerCode, RANK() OVER (ORDER BY Qty), DENSE_RANK() OVER (ORDER BY CustomerCode),
           LAG(Note, 1, 'start') OVER (PARTITION BY Region ORDER BY SaleId)
    FROM src.Sale
""",
    "running totals": """
CREATE PROCEDURE dw.LoadRunning AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M, D)
    SELECT CustomerCode,
           SUM(Qty) OVER (PARTITION BY CustomerCode ORDER BY SoldAt),
           COUNT(*) OVER (PARTITION BY CustomerCode),
           AVG(Price) OVER (ORDER BY SaleId ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    FROM src.Sale
""",
    "set operations": """
CREATE PROCEDURE dw.LoadSets AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N)
    SELECT CustomerCode, Qty FROM src.Sale EXCEPT SELECT ClientCode, Rating FROM src.Client
    INSERT dw.Fact (K, T)
    SELECT Region, 'r' FROM src.Sale UNION SELECT City, 'r' FROM src.Client
    INSERT dw.Fact (K) SELECT CustomerCode FROM src.Sale INTERSECT SELECT ParentCode FROM src.Client
""",
    "joins that multiply": """
CREATE PROCEDURE dw.LoadJoined AS
    DELETE dw.Fact
    INSERT INTO dw.Fact (K, N, T, D)
    SELECT s.CustomerCode, s.Qty, c.City, c.Rating
    FROM src.Sale s LEFT JOIN src.Client c ON c.ClientCode = s.CustomerCode AND c.Rating > 1
    WHERE c.City <> 'Gamma' OR c.City IS NULL
    INSERT INTO dw.Fact (K, N, T)
    SELECT COALESCE(s.CustomerCode, c.ClientCode), COUNT(s.SaleId), MAX(c.FullName)
    FROM src.Sale s FULL OUTER JOIN src.Client c ON c.ClientCode = s.CustomerCode
    GROUP BY COALESCE(s.CustomerCode, c.ClientCode)
    INSERT INTO dw.Fact (K, T)
    SELECT a.ClientCode, b.ClientCode FROM src.Client a, src.Client b
    WHERE a.Rating < b.Rating AND a.City = b.City
""",
    "update from with an aggregate": """
CREATE PROCEDURE dw.FixSales AS
    UPDATE f
    SET f.Qty = x.q, f.Amount = x.a, f.Label = 'fixed ' + CAST(x.n AS varchar(10))
    FROM dw.Sale f
    INNER JOIN (SELECT SaleId, SUM(Qty) AS q, SUM(Price) AS a, COUNT(*) AS n
        FROM src.Sale GROUP BY SaleId) x
        ON x.SaleId = f.SaleId
    WHERE ISNULL(f.Qty, -1) <> ISNULL(x.q, -1)
    INSERT INTO dw.Sale (SaleId, Qty) SELECT SaleId, Qty FROM src.Sale s
    WHERE NOT EXISTS (SELECT * FROM dw.Sale f WHERE f.SaleId = s.SaleId)
""",
    "control table upsert": """
CREATE PROCEDURE dw.RememberRun
AS
    DECLARE @last datetime, @rows int
    SELECT @last = At FROM dw.Config WHERE Name = 'sale'
    SELECT @rows = COUNT(*) FROM src.Sale WHERE SoldAt > ISNULL(@last, '19000101')
    IF @rows > 0
        INSERT dw.Fact (K, N, W) SELECT CustomerCode, Qty, SoldAt FROM src.Sale
            WHERE SoldAt > ISNULL(@last, '19000101')
    IF EXISTS (SELECT 1 FROM dw.Config WHERE Name = 'sale')
        UPDATE dw.Config SET At = (SELECT MAX(SoldAt) FROM src.Sale),
            Setting = CAST(@rows AS varchar(10)) WHERE Name = 'sale'
    ELSE
        INSERT dw.Config VALUES ('sale', @rows, (SELECT MAX(SoldAt) FROM src.Sale))
""",
    "variables from several rows": """
CREATE PROCEDURE dw.LoadByVariables AS
    DECLARE @top int = 5, @name varchar(10) = 'start', @n int
    SELECT @top = Qty, @name = CustomerCode FROM src.Sale WHERE SaleId = 3
    SET @n = (SELECT COUNT(*) FROM src.Client WHERE City IS NULL)
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M) SELECT @name, @top, @n
    INSERT dw.Fact (K, N) SELECT CustomerCode, Qty FROM src.Sale WHERE Qty >= @top
        OR CustomerCode = @name
    IF @n > 1 DELETE dw.Fact WHERE N IS NULL ELSE UPDATE dw.Fact SET M = -1 WHERE M IS NULL
""",
    "exists and null": """
CREATE PROCEDURE dw.LoadExisting AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N)
    SELECT ClientCode, Rating FROM src.Client c
    WHERE EXISTS (SELECT NULL FROM src.Sale s WHERE s.CustomerCode = c.ParentCode
        AND s.Qty <> c.Rating)
       OR c.Rating = ALL (SELECT Qty FROM src.Sale WHERE CustomerCode = c.ClientCode)
    INSERT dw.Fact (K, N) SELECT ClientCode, (SELECT COUNT(Qty) FROM src.Sale s
        WHERE s.CustomerCode = ClientCode) FROM src.Client
""",
    "implicit conversions": """
CREATE PROCEDURE dw.LoadConverted AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, D, T)
    SELECT Qty, Flag + 1, Flag, Price FROM src.Sale WHERE Small = '2' OR Flag = 'true'
        OR SoldAt = '2024-06-10 10:30'
    INSERT dw.Fact (K, T, N)
    SELECT Flag, ShipDate, CASE WHEN SoldAt >= ShipDate THEN 1 ELSE 0 END FROM src.Sale
    INSERT dw.Fact (K, T)
    SELECT CONVERT(varchar(10), SoldAt, 101),
        CAST(Paid AS varchar(20)) + '/' + CONVERT(varchar(30), Price) FROM src.Sale
""",
    "scd with hashes and dedupe": """
CREATE PROCEDURE dw.DedupeSales AS
    INSERT INTO dw.Sale (SaleId, Qty, Code) SELECT SaleId, Qty, LEFT(CustomerCode, 5)
        FROM src.Sale WHERE Qty > 0
    ;WITH d AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY SaleId, Qty, Code
        ORDER BY Qty) AS rn FROM dw.Sale)
    DELETE FROM d WHERE rn > 1
""",
    "texts of both cases in order": """
CREATE PROCEDURE dw.LoadTextOrder AS
    TRUNCATE TABLE dw.Fact
    INSERT dw.Fact (K, N, M)
    SELECT CustomerCode, ROW_NUMBER() OVER (ORDER BY CustomerCode, SaleId),
        RANK() OVER (ORDER BY Region DESC)
    FROM src.Sale
    INSERT dw.Fact (K, N, T)
    SELECT MIN(CustomerCode), Qty, MAX(Note)
    FROM src.Sale WHERE CustomerCode < 'Zulu' AND Region BETWEEN 'B' AND 'cx' GROUP BY Qty
    INSERT dw.Fact (K, N)
    SELECT TOP 2 CustomerCode, SaleId FROM src.Sale WHERE CustomerCode <> 'Zero'
    ORDER BY CustomerCode, SaleId
""",
}
