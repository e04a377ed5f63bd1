CREATE PROCEDURE mart.prc_plan_totals
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @plans TABLE (n int IDENTITY(1,1) PRIMARY KEY, plan_code varchar(20));
    DECLARE @i int = 1, @max int, @plan varchar(20);
    INSERT INTO @plans (plan_code)
    SELECT DISTINCT TariffPlan FROM landing.Subscriber WHERE TariffPlan IS NOT NULL ORDER BY TariffPlan;
    SELECT @max = COUNT(*) FROM @plans;

    WHILE @i <= @max
    BEGIN
        SELECT @plan = plan_code FROM @plans WHERE n = @i;

        INSERT INTO mart.call_monthly (YearMonth, TariffPlan, Region, TotalDurationSec, TotalChargedAmount, EntityCount)
        SELECT '000000', @plan, N'*', SUM(c.DurationSec), SUM(c.ChargedAmount), COUNT(DISTINCT c.Msisdn)
        FROM landing.CallRecord c
        JOIN landing.Subscriber s ON s.Msisdn = c.Msisdn
        WHERE s.TariffPlan = @plan;

        SET @i = @i + 1;
    END;
END;
