-- =============================================
-- Author:      -
-- Create date: 2014-04-14
-- Description: edw.Load_DimCarrier_Full
-- 2024  -  ticket 4414: do not touch without asking
-- =============================================
CREATE PROCEDURE edw.Load_DimCarrier_Full
AS
BEGIN
    SET NOCOUNT ON
    TRUNCATE TABLE edw.DimCarrier
    INSERT INTO edw.DimCarrier (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight)
    SELECT s.CarrierCode,
           LTRIM(RTRIM(s.CarrierName)),
           ISNULL(s.ServiceLevel, 'UNK'),
           COALESCE(NULLIF(s.HomeDepot, ''), 'n/a'),
           s.MaxWeight
    FROM raw.Carrier AS s
    WHERE s.CarrierCode IS NOT NULL
END

EXEC edw.Load_DimCarrier_Full
