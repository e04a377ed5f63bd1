IF OBJECT_ID('dm.reading_seq') IS NULL
    CREATE SEQUENCE dm.reading_seq AS bigint START WITH 1 INCREMENT BY 1 NO CACHE
GO
CREATE PROCEDURE dm.usp_Refresh_number @temporal_from datetime2 = NULL
AS
    DECLARE @first bigint = NEXT VALUE FOR dm.reading_seq
    INSERT dm.fact_reading (ReadingId, meter_key, DateKey, Kwh, EnergyCost, ReadingStatus)
    SELECT NEXT VALUE FOR dm.reading_seq, m.meter_key, 20240101, 0, 0, 'ESTIMATED'
    FROM dm.dim_meter m
    WHERE m.IsCurrent = 1 AND NOT EXISTS (SELECT 1 FROM dm.fact_reading f WHERE f.meter_key = m.meter_key)
    SELECT h.MeterSerial, h.Capacity
    FROM dm.dim_meter_history FOR SYSTEM_TIME AS OF @temporal_from AS h
    WHERE h.Capacity !> 100 AND h.Capacity !< 0
    BULK INSERT stage.Reading FROM 'D:\in\readings.csv' WITH (FIELDTERMINATOR = ';', FIRSTROW = 2, TABLOCK)
    ALTER SEQUENCE dm.reading_seq RESTART WITH 1
