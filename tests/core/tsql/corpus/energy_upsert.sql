-- =============================================
-- Author:      SQLAgent
-- Create date: 2011-01-11
-- Description: dm.usp_Refresh_dim_meter_Upsert
-- 2021  SQLAgent  ticket 4111: do not touch without asking
-- =============================================
CREATE PROCEDURE dm.usp_Refresh_dim_meter_Upsert
AS
SET NOCOUNT ON
DECLARE @u int, @i int

UPDATE tgt
   SET SiteName = src.SiteName,
       MeterType = src.MeterType,
       GridZone = src.GridZone,
       Capacity = src.Capacity
  FROM dm.dim_meter tgt, stage.Meter src
 WHERE tgt.MeterSerial = src.MeterSerial
   AND tgt.IsCurrent = 1
SET @u = @@ROWCOUNT
-- changed 12.04.2018

INSERT INTO dm.dim_meter (MeterSerial, SiteName, MeterType, GridZone, Capacity)
SELECT src.MeterSerial, src.SiteName, src.MeterType, src.GridZone, src.Capacity
  FROM stage.Meter src
 WHERE src.MeterSerial NOT IN (SELECT MeterSerial FROM dm.dim_meter)
SELECT @i = @@ROWCOUNT

--EXEC dbo.SendMail 'dwh@example.com', @u, @i
SELECT @u AS updated_rows, @i AS inserted_rows
--SELECT TOP 100 * FROM stage.Meter
