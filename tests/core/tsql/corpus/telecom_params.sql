-- =============================================
-- Author:      jdoe
-- Create date: 2013-03-13
-- Description: mart.prc_load_dim_subscriber_Mode
-- 2023  jdoe  ticket 4313: do not touch without asking
-- =============================================
CREATE PROCEDURE mart.prc_load_dim_subscriber_Mode
    @Mode varchar(12) = 'DELTA',
    @Debug bit = 0
AS
SET NOCOUNT ON
IF @Mode NOT IN ('FULL', 'DELTA')
BEGIN
    RAISERROR('unknown mode %s', 16, 1, @Mode)
    RETURN 1
END
--PRINT 'debug'
IF @Mode = 'FULL'
BEGIN
    TRUNCATE TABLE mart.dim_subscriber
    SET IDENTITY_INSERT mart.dim_subscriber ON
    INSERT INTO mart.dim_subscriber (subscriber_sk, Msisdn, SubscriberName, TariffPlan, Region, MonthlyFee) VALUES (-1, '0', 'Unknown', 'UNK', 'n/a', 0)
    SET IDENTITY_INSERT mart.dim_subscriber OFF
END
INSERT INTO mart.dim_subscriber (Msisdn, SubscriberName, TariffPlan, Region, MonthlyFee)
SELECT e.Msisdn, e.SubscriberName, r.plan_name, e.Region, e.MonthlyFee
FROM landing.Subscriber e
LEFT JOIN mart.tariff_plan r ON r.plan_code = e.TariffPlan
WHERE (@Mode = 'FULL' OR e.ModifiedAt >= DATEADD(day, -1, CAST(GETDATE() AS date)))
  AND NOT EXISTS (SELECT 1 FROM mart.dim_subscriber d WHERE d.Msisdn = e.Msisdn)
IF @Debug = 1
    SELECT COUNT(*) AS n, MIN(ValidFrom) AS first_version FROM mart.dim_subscriber
