CREATE PROCEDURE stg.ImportCustomerXml @doc xml
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @rows TABLE (no_ varchar(20) NOT NULL PRIMARY KEY, nm nvarchar(100), city nvarchar(50), lim decimal(18,2));
    INSERT @rows (no_, nm, city, lim)
    SELECT c.value('@no', 'varchar(20)'), c.value('(name/text())[1]', 'nvarchar(100)'),
           c.value('(city)[1]', 'nvarchar(50)'), c.value('(limit)[1]', 'decimal(18,2)')
    FROM @doc.nodes('/customers/customer') AS x(c);
    MERGE stg.Customer AS t
    USING @rows AS s ON t.CustomerNo = s.no_
    WHEN MATCHED THEN UPDATE SET CustomerName = s.nm, City = s.city, CreditLimit = s.lim, ModifiedAt = GETDATE()
    WHEN NOT MATCHED BY TARGET THEN INSERT (CustomerNo, CustomerName, City, CreditLimit) VALUES (s.no_, s.nm, s.city, s.lim)
    WHEN NOT MATCHED BY SOURCE AND t.ModifiedAt < DATEADD(year, -5, GETDATE()) THEN DELETE;
    SELECT (SELECT CustomerNo AS [@no], CustomerName AS name FROM stg.Customer FOR XML PATH('customer'), ROOT('customers'), TYPE) AS result;
END
