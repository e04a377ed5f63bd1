CREATE TABLE [Logistics].[Shipment] ([ShipmentID] [int] NOT NULL, [OrderNo] [nvarchar](25) NULL, [CarrierCode] [nvarchar](10) NULL, [ShipDate] [datetime] NULL, [DeliverDate] [datetime] NULL, [WeightKg] [decimal](10, 3) NULL, [Cost] [money] NULL, [Origin] [nvarchar](50) NULL, [Dest] [nvarchar](50) NULL, [ModifiedDate] [datetime] NOT NULL)
CREATE TABLE [Logistics].[Carrier] ([CarrierCode] [nvarchar](10) NOT NULL PRIMARY KEY, [CarrierName] [nvarchar](80) NULL, Contact nvarchar(100) null)
CREATE TABLE [DW].[dimCarrier] ([CarrierKey] int NOT NULL, [CarrierCode] nvarchar(10) NOT NULL, [CarrierName] nvarchar(80) NULL, Phone varchar(30) NULL)
CREATE TABLE [DW].[factShipment] ([ShipmentKey] bigint NOT NULL, ShipmentID int NOT NULL, CarrierKey int NOT NULL, ShipDateKey int NOT NULL, DeliverDateKey int NOT NULL, TransitDays int NULL, OnTime bit NULL, WeightLb decimal(12,4) NULL, CostPerKg decimal(19,6) NULL, Lane nvarchar(110) NULL, LaneHash binary(16) NULL, LoadedOn datetime NOT NULL)
CREATE TABLE [DW].[Watermark] (TableName varchar(100) NOT NULL PRIMARY KEY, LastValue datetime NULL)
CREATE SEQUENCE DW.seqShipment AS bigint START WITH 1 INCREMENT BY 1
GO
CREATE PROCEDURE [DW].[uspLoadDimCarrier]
AS
BEGIN
	SET NOCOUNT ON;
	IF NOT EXISTS (SELECT 1 FROM DW.dimCarrier WHERE CarrierKey = -1)
		INSERT INTO DW.dimCarrier (CarrierKey, CarrierCode, CarrierName) VALUES (-1, N'N/A', N'Unknown')

	DECLARE @max int
	SELECT @max = ISNULL(MAX(CarrierKey), 0) FROM DW.dimCarrier WHERE CarrierKey > 0

	UPDATE d
	SET CarrierName = s.CarrierName
	  , Phone = CASE WHEN PATINDEX('%[0-9]%', s.Contact) > 0 THEN SUBSTRING(s.Contact, PATINDEX('%[0-9]%', s.Contact), 30) ELSE NULL END
	FROM DW.dimCarrier d
	JOIN Logistics.Carrier s ON s.CarrierCode = d.CarrierCode
	WHERE EXISTS (SELECT s.CarrierName EXCEPT SELECT d.CarrierName)

	INSERT INTO DW.dimCarrier (CarrierKey, CarrierCode, CarrierName, Phone)
	SELECT ISNULL(@max, 0) + ROW_NUMBER() OVER (ORDER BY s.CarrierCode), s.CarrierCode, s.CarrierName,
		CASE WHEN CHARINDEX('tel:', s.Contact) > 0 THEN LTRIM(SUBSTRING(s.Contact, CHARINDEX('tel:', s.Contact) + 4, LEN(s.Contact))) END
	FROM Logistics.Carrier s
	WHERE NOT EXISTS (SELECT * FROM DW.dimCarrier d WHERE d.CarrierCode = s.CarrierCode)
END
GO
CREATE PROCEDURE [DW].[uspLoadFactShipment]
AS
BEGIN
	SET NOCOUNT ON
	DECLARE @last DATETIME, @new DATETIME
	SELECT @last = LastValue FROM DW.Watermark WHERE TableName = 'factShipment'
	SELECT @new = MAX(ModifiedDate) FROM Logistics.Shipment
	INSERT INTO [LogisticsDW].[DW].[factShipment] (ShipmentKey, ShipmentID, CarrierKey, ShipDateKey, DeliverDateKey, TransitDays, OnTime, WeightLb, CostPerKg, Lane, LaneHash, LoadedOn)
	SELECT NEXT VALUE FOR DW.seqShipment, s.ShipmentID, ISNULL(c.CarrierKey, -1), ISNULL(CONVERT(INT, CONVERT(VARCHAR, s.ShipDate, 112)), 19000101),
		COALESCE(CAST(FORMAT(s.DeliverDate, 'yyyyMMdd') AS int), 19000101),
		DATEDIFF(DAY, s.ShipDate, s.DeliverDate), IIF(DATEDIFF(DAY, s.ShipDate, s.DeliverDate) <= 3, 1, 0),
		s.WeightKg * 2.20462, s.Cost / NULLIF(s.WeightKg, 0), CONCAT_WS(N' -> ', s.Origin, s.Dest), HASHBYTES('MD5', UPPER(ISNULL(s.Origin, '')) + '>' + UPPER(ISNULL(s.Dest, ''))), GETDATE()
	FROM Logistics.Shipment s
	LEFT JOIN DW.dimCarrier c ON c.CarrierCode = s.CarrierCode COLLATE DATABASE_DEFAULT
	WHERE s.ModifiedDate > ISNULL(@last, '1900-01-01') AND s.ModifiedDate <= @new
	UPDATE DW.Watermark SET LastValue = @new WHERE TableName = 'factShipment'
END
GO
