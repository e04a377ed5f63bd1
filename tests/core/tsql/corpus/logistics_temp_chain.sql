CREATE Procedure edw.Load_CarrierPerformance_Rank @top int = 10
AS
DECLARE @best TABLE (cls VARCHAR(20), place nvarchar(50), amt decimal(38, 2), rnk Int, share decimal(9, 4));
DECLARE @total decimal(38, 2) = 0;
SELECT @total = SUM(FreightCost) FROM raw.Shipment;
INSERT into @best (cls, place, amt, rnk)
SELECT x.ServiceLevel, x.HomeDepot, x.amt, x.rnk
FROM (
    select e.ServiceLevel, e.HomeDepot, SUM(t.FreightCost) As amt,
           RANK() OVER (partition By e.ServiceLevel ORDER BY SUM(t.FreightCost) desc) AS rnk
    From raw.Carrier e
    join raw.Shipment t ON t.CarrierCode = e.CarrierCode
    GROUP BY e.ServiceLevel, e.HomeDepot
) AS x
WHERE x.rnk <= @top;
/* old logic
DELETE FROM edw.FactShipment
WHERE 1 = 0
*/
UPDATE @best SET share = Case WHEN @total = 0 THEN null ELSE 100.0 * amt / @total END;
-- TODO: check with business
DELETE FROM @best WHERE share < 0.01;
SELECT b.cls, r.LevelName, b.place, b.amt, b.rnk, b.share
FROM @best b
LEFT JOIN edw.ServiceLevels r On r.LevelCode = b.cls
ORDER BY b.cls, b.rnk;
