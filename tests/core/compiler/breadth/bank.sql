CREATE TABLE raw.Txn(TxnId varchar(40) NOT NULL, AcctNo varchar(20) NOT NULL, TxnDate varchar(20) NULL, Amount varchar(30) NULL, Ccy char(3) NULL, Descr varchar(200) NULL, BatchId int NOT NULL)
CREATE TABLE raw.FxRate(Ccy char(3) NOT NULL, RateDate date NOT NULL, Rate decimal(18,8) NOT NULL, PRIMARY KEY (Ccy, RateDate))
CREATE TABLE core.Txn(TxnSk bigint IDENTITY(1,1) NOT NULL PRIMARY KEY, TxnId varchar(40) NOT NULL, AcctNo varchar(20) NOT NULL, TxnDate date NULL, Amount decimal(18,2) NULL, AmountUsd decimal(18,2) NULL, Ccy char(3) NOT NULL, Category varchar(20) NULL, BatchId int NOT NULL, InsertedAt datetime2(0) NOT NULL DEFAULT SYSDATETIME())
CREATE TABLE core.TxnReject(TxnId varchar(40) NULL, Reason varchar(100) NULL, BatchId int NULL)
CREATE TABLE core.AcctBalance(AcctNo varchar(20) NOT NULL PRIMARY KEY, Balance decimal(18,2) NOT NULL, LastTxn date NULL, TxnCount int NOT NULL, Band tinyint NULL, Updated datetime NULL)
CREATE TABLE core.DailyRollup(Yr int NULL, Mn int NULL, Ccy varchar(10) NULL, Amt decimal(38,2) NULL, Lvl int NULL)
GO
CREATE PROCEDURE core.load_txn @batch int
AS
BEGIN
SET NOCOUNT, XACT_ABORT ON;
IF OBJECT_ID('tempdb..#clean') IS NOT NULL DROP TABLE #clean;
CREATE TABLE #clean (TxnId varchar(40), AcctNo varchar(20), TxnDate date, Amount decimal(18,2), Ccy char(3), Descr varchar(200), dup int);
INSERT INTO #clean
SELECT TxnId, AcctNo, TRY_CONVERT(date, TxnDate, 103), TRY_CAST(REPLACE(Amount, ',', '') AS decimal(18,2)), ISNULL(Ccy, 'USD'), Descr,
 ROW_NUMBER() OVER (PARTITION BY TxnId ORDER BY TxnDate DESC, Amount DESC)
FROM raw.Txn WHERE BatchId = @batch;

INSERT INTO core.TxnReject (TxnId, Reason, BatchId)
SELECT TxnId, CASE WHEN TxnDate IS NULL THEN 'bad date' WHEN Amount IS NULL THEN 'bad amount' ELSE 'duplicate' END, @batch
FROM #clean WHERE TxnDate IS NULL OR Amount IS NULL OR dup > 1;

DELETE FROM #clean WHERE TxnDate IS NULL OR Amount IS NULL OR dup > 1;

INSERT INTO core.Txn (TxnId, AcctNo, TxnDate, Amount, AmountUsd, Ccy, Category, BatchId)
SELECT c.TxnId, c.AcctNo, c.TxnDate, c.Amount, c.Amount * ISNULL(fx.Rate, 1), c.Ccy,
  CASE WHEN c.Descr LIKE '%ATM%' THEN 'CASH' WHEN c.Descr LIKE 'POS[0-9]%' THEN 'CARD' WHEN c.Descr LIKE '%100[%]%' THEN 'FEE' WHEN c.Amount < 0 THEN 'DEBIT' ELSE 'CREDIT' END, @batch
FROM #clean c
OUTER APPLY (SELECT TOP (1) f.Rate FROM raw.FxRate f WHERE f.Ccy = c.Ccy AND f.RateDate <= c.TxnDate ORDER BY f.RateDate DESC) fx
WHERE NOT EXISTS (SELECT 1 FROM core.Txn x WHERE x.TxnId = c.TxnId);
END
GO
CREATE PROCEDURE core.refresh_balance AS
BEGIN
 SET NOCOUNT ON
 ;WITH b AS (SELECT AcctNo, SUM(AmountUsd) bal, MAX(TxnDate) lt, COUNT(*) n FROM core.Txn GROUP BY AcctNo)
 MERGE core.AcctBalance WITH (HOLDLOCK) AS t USING b AS s ON (t.AcctNo = s.AcctNo)
 WHEN MATCHED AND (t.Balance <> s.bal OR t.TxnCount <> s.n) THEN UPDATE SET t.Balance = s.bal, t.LastTxn = s.lt, t.TxnCount = s.n, t.Updated = GETDATE()
 WHEN NOT MATCHED THEN INSERT (AcctNo, Balance, LastTxn, TxnCount, Updated) VALUES (s.AcctNo, ISNULL(s.bal,0), s.lt, s.n, GETDATE())
 WHEN NOT MATCHED BY SOURCE THEN DELETE;

 UPDATE b SET Band = x.q FROM core.AcctBalance b JOIN (SELECT AcctNo, NTILE(4) OVER (ORDER BY Balance, AcctNo) q FROM core.AcctBalance) x ON x.AcctNo = b.AcctNo
END
GO
CREATE PROCEDURE core.rollup_daily AS
 TRUNCATE TABLE core.DailyRollup
 INSERT core.DailyRollup
 SELECT YEAR(TxnDate), DATEPART(mm, TxnDate), CASE WHEN GROUPING(Ccy) = 1 THEN '(all)' ELSE Ccy END, SUM(Amount), GROUPING(YEAR(TxnDate)) + GROUPING(DATEPART(mm, TxnDate)) + GROUPING(Ccy)
 FROM core.Txn WHERE TxnDate IS NOT NULL
 GROUP BY YEAR(TxnDate), DATEPART(mm, TxnDate), Ccy WITH ROLLUP
GO
