-- every subscriber's plan must exist in mart.tariff_plan
CREATE PROC mart.prc_ensure_plans
AS
SET NOCOUNT ON
DECLARE @plan varchar(20), @fee decimal(18,2), @name nvarchar(100)
DECLARE p CURSOR LOCAL FAST_FORWARD FOR
    SELECT TariffPlan, MAX(MonthlyFee) FROM TelcoMart.landing.Subscriber
    WHERE TariffPlan IS NOT NULL GROUP BY TariffPlan
OPEN p
FETCH p INTO @plan, @fee
WHILE @@FETCH_STATUS = 0
BEGIN
    SET @name = @plan + ' (' + ISNULL(CAST(@fee AS varchar(20)), 'free') + ')'
    IF NOT EXISTS (SELECT * FROM mart.tariff_plan WHERE plan_code = @plan)
    BEGIN
        INSERT mart.tariff_plan VALUES (@plan, @name)
        PRINT 'new plan ' + @plan
    END
    ELSE IF @fee > 100
        UPDATE mart.tariff_plan SET plan_name = @name WHERE plan_code = @plan
    FETCH p INTO @plan, @fee
END
CLOSE p DEALLOCATE p
