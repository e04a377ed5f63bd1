ALTER PROCEDURE edw.Load_DimCarrier_Scd2 @AsOf datetime = NULL
AS
SET NOCOUNT ON;
IF @AsOf IS NULL
    SET @AsOf = GETDATE();

INSERT INTO edw.DimCarrier (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight, ValidFrom, ValidTo, IsCurrent)
SELECT CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight, @AsOf, NULL, 1
FROM (
    MERGE edw.DimCarrier AS d
    USING raw.Carrier AS s
       ON d.CarrierCode = s.CarrierCode AND d.IsCurrent = 1
    WHEN MATCHED AND (d.ServiceLevel <> s.ServiceLevel OR d.HomeDepot <> s.HomeDepot) THEN
        UPDATE SET d.IsCurrent = 0, d.ValidTo = @AsOf
    WHEN NOT MATCHED THEN
        INSERT (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight, ValidFrom, IsCurrent)
        VALUES (s.CarrierCode, s.CarrierName, s.ServiceLevel, s.HomeDepot, s.MaxWeight, @AsOf, 1)
    OUTPUT $action AS act, s.CarrierCode, s.CarrierName, s.ServiceLevel, s.HomeDepot, s.MaxWeight
) AS changes
WHERE changes.act = 'UPDATE';
RETURN 0;
/* nested /* comment */ stays out */
