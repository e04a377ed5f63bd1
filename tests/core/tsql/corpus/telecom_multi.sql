-- =============================================
-- Author:      m.weber
-- Create date: 2015-05-15
-- Description: mart.prc_load_Subscriber_Everything
-- 2025  m.weber  ticket 4515: do not touch without asking
-- =============================================
CREATE PROCEDURE mart.prc_load_Subscriber_Everything
AS
BEGIN
  BEGIN TRY
    DECLARE @rc1 Int, @rc2 INT, @rc3 INT;
    insert Into mart.tariff_plan (plan_code, plan_name)
    SELECT DISTINCT TariffPlan, TariffPlan FROM landing.Subscriber
    EXCEPT
    SELECT plan_code, plan_code FROM mart.tariff_plan;
    /* old logic
    DELETE FROM mart.fact_call
    WHERE 1 = 0
    */
    SET @rc1 = @@ROWCOUNT;
    /* nested /* comment */ stays out */

    INSERT INTO mart.dim_subscriber (Msisdn, SubscriberName, TariffPlan, Region, MonthlyFee)
    SELECT e.Msisdn, MAX(e.SubscriberName), max(e.TariffPlan), MAX(e.Region), AVG(e.MonthlyFee)
    From landing.Subscriber e
    where not EXISTS (SELECT 1 FROM mart.dim_subscriber d WHERE d.Msisdn = e.Msisdn)
    GROUP BY e.Msisdn;
    SET @rc2 = @@ROWCOUNT;

    INSERT into mart.CallRecordArchive (CallId, Msisdn, CallStart, DurationSec, ChargedAmount, CallType)
    SELECT CallId, Msisdn, CallStart, DurationSec, ChargedAmount, CallType
    FROM landing.CallRecord WHERE CallType In ('ROAMING') AND DATEDIFF(month, CallStart, Getdate()) >= 24
    union All
    Select CallId, Msisdn, CallStart, 0, 0, 'VOID' From landing.CallRecord where DurationSec IS Null;
    Set @rc3 = @@ROWCOUNT;
    PRINT 'ref ' + STR(@rc1) + ' dim ' + STR(@rc2) + ' arc ' + STR(@rc3);
  END TRY
  begin Catch
    PRINT ERROR_MESSAGE();
  END CATCH
end
