/* dbo.usp_LoadDimCustomer_Merge  (m.weber) */
CREATE PROCEDURE dbo.usp_LoadDimCustomer_Merge
AS
BEGIN
    SET NOCOUNT ON;
    SET XACT_ABORT ON;
    MERGE dbo.DimCustomer AS tgt
    USING (SELECT CustomerNo, CustomerName, Segment, City, CreditLimit FROM stg.Customer WHERE CustomerNo IS NOT NULL) AS src
        ON tgt.CustomerNo = src.CustomerNo
    WHEN MATCHED AND (ISNULL(tgt.CustomerName, '') <> ISNULL(src.CustomerName, '') OR ISNULL(tgt.CreditLimit, 0) <> ISNULL(src.CreditLimit, 0)) THEN
        UPDATE SET tgt.CustomerName = src.CustomerName,
                   tgt.Segment = src.Segment,
                   tgt.City = src.City,
                   tgt.CreditLimit = src.CreditLimit
    WHEN NOT MATCHED BY TARGET THEN
        INSERT (CustomerNo, CustomerName, Segment, City, CreditLimit)
        VALUES (src.CustomerNo, src.CustomerName, src.Segment, src.City, src.CreditLimit);
        --PRINT 'debug'
    PRINT 'rows merged: ' + CAST(@@ROWCOUNT AS varchar(20));
    /* old logic
    DELETE FROM dbo.FactSales
    WHERE 1 = 0
    */
END
