USE [ClinicalDW]
GO
CREATE PROCEDURE rpt.usp_DimPatient_Upsert
AS
SET NOCOUNT ON
DECLARE @u int, @i int

UPDATE tgt
   SET FullName = src.FullName,
       InsuranceClass = src.InsuranceClass,
       Ward = src.Ward,
       DepositAmt = src.DepositAmt
  FROM rpt.DimPatient tgt, src.Patient src
 WHERE tgt.PatientId = src.PatientId
   AND tgt.IsCurrent = 1
SET @u = @@ROWCOUNT

INSERT INTO rpt.DimPatient (PatientId, FullName, InsuranceClass, Ward, DepositAmt)
SELECT src.PatientId, src.FullName, src.InsuranceClass, src.Ward, src.DepositAmt
  FROM src.Patient src
 WHERE src.PatientId NOT IN (SELECT PatientId FROM rpt.DimPatient)
SELECT @i = @@ROWCOUNT

--EXEC dbo.SendMail 'dwh@example.com', @u, @i
SELECT @u AS updated_rows, @i AS inserted_rows
--SELECT TOP 100 * FROM src.Patient
