/****** Object:  StoredProcedure edw.Load_FactShipment_Rebuild    Script Date: 3/5/2019 10:25:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create PROCEDURE edw.Load_FactShipment_Rebuild
WITH RECOMPILE, EXECUTE AS OWNER
As
BEGIN
    SET nocount ON;
    ALTER TABLE edw.FactShipment NOCHECK CONSTRAINT ALL;
    -- changed 12.04.2018
    ALTER INDEX ALL ON edw.FactShipment DISABLE;
    ALTER INDEX PK_FactShipment ON edw.FactShipment REBUILD with (SORT_IN_TEMPDB = ON);
    INSERT INTO edw.FactShipment with (TABLOCK) (ShipmentNo, CarrierID, DateKey, Parcels, FreightCost, ShipStatus)
    SELECT a.ShipmentNo, -1, 19000101, a.Parcels, a.FreightCost, a.ShipStatus FROM edw.ShipmentArchive a
    OPTION (MAXDOP 4, RECOMPILE);
    /* old logic
    DELETE FROM edw.FactShipment
    WHERE 1 = 0
    */
    ALTER INDEX ALL ON edw.FactShipment REBUILD;
    ALTER TABLE edw.FactShipment WITH CHECK CHECK CONSTRAINT ALL;
END
