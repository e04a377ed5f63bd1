CREATE TABLE lims.Result(SampleId int NOT NULL, TestCode varchar(12) NOT NULL, ResultText varchar(50) NULL, Unit varchar(10) NULL, ResultTs datetime NULL, Analyst varchar(30) NULL)
CREATE TABLE lims.Sample(SampleId int NOT NULL PRIMARY KEY, LotNo varchar(20) NULL, ProductCode varchar(20) NULL, Collected datetime NULL)
CREATE TABLE lims.Spec(ProductCode varchar(20) NOT NULL, TestCode varchar(12) NOT NULL, LowLimit decimal(12,4) NULL, HighLimit decimal(12,4) NULL, PRIMARY KEY (ProductCode, TestCode))
CREATE TABLE qa.ResultFact(ResultKey int NOT NULL, SampleId int NOT NULL, TestCode varchar(12) NOT NULL, ResultNum decimal(12,4) NULL, InSpec char(3) NULL, Deviation decimal(12,4) NULL, ResultDateKey int NULL, Seq int NULL)
CREATE TABLE qa.LotSummary(LotNo varchar(20) NOT NULL, ProductCode varchar(20) NULL, Samples int NULL, Fails int NULL, PassRate decimal(7,4) NULL, MinVal decimal(12,4) NULL, MaxVal decimal(12,4) NULL, StdDev float NULL, FirstCollected datetime NULL, Status varchar(10) NULL, Analysts varchar(400) NULL)
CREATE TABLE qa.ResultWide(SampleId int NOT NULL, PH decimal(12,4) NULL, ASSAY decimal(12,4) NULL, WATER decimal(12,4) NULL)
GO
CREATE FUNCTION lims.fnToNumber(@s varchar(50)) RETURNS decimal(12,4) AS
BEGIN
	RETURN TRY_CAST(REPLACE(REPLACE(REPLACE(@s, '<', ''), '>', ''), ',', '.') AS decimal(12,4))
END
GO
CREATE FUNCTION lims.tvfLatest(@asof datetime) RETURNS TABLE AS RETURN
(
 SELECT SampleId, TestCode, ResultText, ResultTs, Analyst FROM (
   SELECT r.*, ROW_NUMBER() OVER (PARTITION BY SampleId, TestCode ORDER BY ResultTs DESC, ResultText) rn FROM lims.Result r WHERE ResultTs <= @asof) x WHERE rn = 1
)
GO
CREATE PROC qa.Load_ResultFact @asof datetime = NULL AS
BEGIN
 SET @asof = COALESCE(@asof, GETDATE())
 DECLARE @t TABLE (SampleId int, TestCode varchar(12), num decimal(12,4), lo decimal(12,4), hi decimal(12,4), ts datetime)
 INSERT @t SELECT l.SampleId, l.TestCode, lims.fnToNumber(l.ResultText), sp.LowLimit, sp.HighLimit, l.ResultTs
 FROM lims.tvfLatest(@asof) l JOIN lims.Sample s ON s.SampleId = l.SampleId LEFT JOIN lims.Spec sp ON sp.ProductCode = s.ProductCode AND sp.TestCode = l.TestCode
 DELETE FROM @t WHERE num IS NULL
 TRUNCATE TABLE qa.ResultFact
 INSERT INTO qa.ResultFact (ResultKey, SampleId, TestCode, ResultNum, InSpec, Deviation, ResultDateKey, Seq)
 SELECT ROW_NUMBER() OVER (ORDER BY SampleId, TestCode), SampleId, TestCode, num,
   CASE WHEN num BETWEEN ISNULL(lo, num) AND ISNULL(hi, num) THEN 'Yes' ELSE 'No' END,
   CASE WHEN num < lo THEN num - lo WHEN num > hi THEN num - hi ELSE 0 END,
   CAST(CONVERT(char(8), ts, 112) AS int), RANK() OVER (PARTITION BY SampleId ORDER BY ts)
 FROM @t
END
GO
CREATE PROC qa.Load_LotSummary AS
BEGIN
 SET NOCOUNT ON
 IF OBJECT_ID('tempdb..##lots') IS NOT NULL DROP TABLE ##lots
 SELECT s.LotNo, MAX(s.ProductCode) ProductCode, COUNT(DISTINCT s.SampleId) Samples, SUM(CASE WHEN f.InSpec = 'No' THEN 1 ELSE 0 END) Fails, COUNT(f.SampleId) Results,
  MIN(f.ResultNum) MinVal, MAX(f.ResultNum) MaxVal, STDEV(f.ResultNum) sd, MIN(s.Collected) FirstCollected
 INTO ##lots FROM lims.Sample s LEFT JOIN qa.ResultFact f ON f.SampleId = s.SampleId WHERE s.LotNo IS NOT NULL GROUP BY s.LotNo
 DELETE FROM qa.LotSummary WHERE LotNo IN (SELECT LotNo FROM ##lots)
 INSERT qa.LotSummary
 SELECT l.LotNo, l.ProductCode, l.Samples, l.Fails, 1 - CAST(l.Fails AS decimal(9,4)) / NULLIF(l.Results, 0), l.MinVal, l.MaxVal, l.sd, l.FirstCollected,
  CASE WHEN l.Results = 0 THEN 'PENDING' WHEN l.Fails > 0 THEN 'REJECT' ELSE 'RELEASE' END,
  STUFF((SELECT DISTINCT ',' + r.Analyst FROM lims.Result r JOIN lims.Sample s2 ON s2.SampleId = r.SampleId WHERE s2.LotNo = l.LotNo FOR XML PATH(''), TYPE).value('.', 'varchar(400)'), 1, 1, '')
 FROM ##lots l
END
GO
CREATE PROC qa.Load_ResultWide AS
 TRUNCATE TABLE qa.ResultWide
 INSERT qa.ResultWide (SampleId, PH, ASSAY, WATER)
 SELECT SampleId, MAX(PH), MAX([ASSAY]), MAX(WATER)
 FROM (SELECT ResultKey, SampleId, TestCode, ResultNum FROM qa.ResultFact) x
 PIVOT (MAX(ResultNum) FOR TestCode IN (PH, [ASSAY], WATER)) pv
 GROUP BY SampleId
GO
