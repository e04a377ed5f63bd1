/****** Object:  StoredProcedure rpt.usp_DimPatient_Merge    Script Date: 3/8/2019 10:28:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE rpt.usp_DimPatient_Merge
AS
BEGIN
    SET NOCOUNT ON
    SET XACT_ABORT ON
    MERGE rpt.DimPatient AS tgt
    USING (SELECT PatientId, FullName, InsuranceClass, Ward, DepositAmt FROM ClinicalDW.src.Patient WHERE PatientId IS NOT NULL) AS src
        ON tgt.PatientId = src.PatientId
    WHEN MATCHED AND (ISNULL(tgt.FullName, '') <> ISNULL(src.FullName, '') OR ISNULL(tgt.DepositAmt, 0) <> ISNULL(src.DepositAmt, 0)) THEN
        UPDATE SET tgt.FullName = src.FullName,
                   tgt.InsuranceClass = src.InsuranceClass,
                   tgt.Ward = src.Ward,
                   tgt.DepositAmt = src.DepositAmt
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (PatientId, FullName, InsuranceClass, Ward, DepositAmt)
        VALUES (src.PatientId, src.FullName, src.InsuranceClass, src.Ward, src.DepositAmt);
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20))
    /* nested /* comment */ stays out */
END
