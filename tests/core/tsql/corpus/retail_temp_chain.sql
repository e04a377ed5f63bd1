/****** Object:  StoredProcedure dbo.usp_LoadSalesMonthly_Rank    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE dbo.usp_LoadSalesMonthly_Rank @top Int = 10
AS
Declare @best TABLE (cls varchar(20), place nvarchar(50), amt decimal(38, 2), rnk int, share Decimal(9, 4));
DECLARE @total DECIMAL(38, 2) = 0;
SELECT @total = SUM(LineAmount) FROM stg.SalesOrder;
insert INTO @best (cls, place, amt, rnk)
Select x.Segment, x.City, x.amt, x.rnk
FROM (
    Select e.Segment, e.City, SUM(t.LineAmount) as amt,
           RANK() OVER (PARTITION by e.Segment ORDER BY SUM(t.LineAmount) DESC) AS rnk
    FROM stg.Customer e
    Join stg.SalesOrder t ON t.CustomerNo = e.CustomerNo
    GROUP By e.Segment, e.City
) AS x
Where x.rnk <= @top;
UPDATE @best SET share = CASE WHEN @total = 0 then null ELSE 100.0 * amt / @total END;
--SELECT TOP 100 * FROM stg.Customer
DELETE FROM @best Where share < 0.01;
select b.cls, r.SegmentName, b.place, b.amt, b.rnk, b.share
FROM @best b
LEFT JOIN dbo.SegmentCode r ON r.SegmentCode = b.cls
ORDER BY b.cls, b.rnk;
