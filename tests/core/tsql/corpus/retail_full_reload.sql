CREATE PROCEDURE dbo.usp_LoadDimCustomer_Full
AS
BEGIN
    SET NOCOUNT ON
    TRUNCATE TABLE dbo.DimCustomer
    INSERT INTO dbo.DimCustomer (CustomerNo, CustomerName, Segment, City, CreditLimit)
    SELECT s.CustomerNo,
           LTRIM(RTRIM(s.CustomerName)),
           ISNULL(s.Segment, 'UNK'),
           COALESCE(NULLIF(s.City, ''), 'n/a'),
           s.CreditLimit
    FROM stg.Customer AS s
    WHERE s.CustomerNo IS NOT NULL
END
GO
