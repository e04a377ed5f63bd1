/****** Object:  StoredProcedure mart.prc_load_call_monthly_Rank    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE mart.prc_load_call_monthly_Rank @top int = 10
AS
DECLARE @best TABLE (cls varchar(20), place nvarchar(50), amt decimal(38, 2), rnk int, share decimal(9, 4));
DECLARE @total decimal(38, 2) = 0;
SELECT @total = SUM(ChargedAmount) FROM landing.CallRecord;
INSERT INTO @best (cls, place, amt, rnk)
SELECT x.TariffPlan, x.Region, x.amt, x.rnk
FROM (
    SELECT e.TariffPlan, e.Region, SUM(t.ChargedAmount) AS amt,
           RANK() OVER (PARTITION BY e.TariffPlan ORDER BY SUM(t.ChargedAmount) DESC) AS rnk
    FROM landing.Subscriber e
    JOIN landing.CallRecord t ON t.Msisdn = e.Msisdn
    GROUP BY e.TariffPlan, e.Region
) AS x
WHERE x.rnk <= @top;
UPDATE @best SET share = CASE WHEN @total = 0 THEN NULL ELSE 100.0 * amt / @total END;
--SELECT TOP 100 * FROM landing.Subscriber
DELETE FROM @best WHERE share < 0.01;
SELECT b.cls, r.plan_name, b.place, b.amt, b.rnk, b.share
FROM @best b
LEFT JOIN mart.tariff_plan r ON r.plan_code = b.cls
ORDER BY b.cls, b.rnk;
