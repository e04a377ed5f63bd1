/* dbo.usp_LoadCustomer_Everything  (jdoe) */
CREATE PROCEDURE dbo.usp_LoadCustomer_Everything
AS
BEGIN
  BEGIN TRY
    DECLARE @rc1 int, @rc2 int, @rc3 int;
    INSERT INTO dbo.SegmentCode (SegmentCode, SegmentName)
    SELECT DISTINCT Segment, Segment FROM stg.Customer
    EXCEPT
    SELECT SegmentCode, SegmentCode FROM dbo.SegmentCode;
    SET @rc1 = @@ROWCOUNT;

    INSERT INTO dbo.DimCustomer (CustomerNo, CustomerName, Segment, City, CreditLimit)
    SELECT e.CustomerNo, MAX(e.CustomerName), MAX(e.Segment), MAX(e.City), AVG(e.CreditLimit)
    FROM stg.Customer e
    WHERE NOT EXISTS (SELECT 1 FROM dbo.DimCustomer d WHERE d.CustomerNo = e.CustomerNo)
    GROUP BY e.CustomerNo;
    SET @rc2 = @@ROWCOUNT;

    INSERT INTO dbo.SalesOrderArchive (OrderId, CustomerNo, OrderDate, Quantity, LineAmount, OrderStatus)
    SELECT OrderId, CustomerNo, OrderDate, Quantity, LineAmount, OrderStatus
    FROM stg.SalesOrder WHERE OrderStatus IN ('SHIPPED') AND DATEDIFF(month, OrderDate, GETDATE()) >= 24
    UNION ALL
    SELECT OrderId, CustomerNo, OrderDate, 0, 0, 'VOID' FROM stg.SalesOrder WHERE Quantity IS NULL;
    --PRINT 'debug'
    SET @rc3 = @@ROWCOUNT;
    /* nested /* comment */ stays out */
    PRINT 'ref ' + STR(@rc1) + ' dim ' + STR(@rc2) + ' arc ' + STR(@rc3);
  END TRY
  BEGIN CATCH
    PRINT ERROR_MESSAGE();
  END CATCH
END
