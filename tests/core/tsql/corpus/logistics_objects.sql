USE LogiDW
GO
CREATE TYPE raw.ShipmentList AS TABLE (ShipmentNo int NOT NULL PRIMARY KEY, Parcels int NULL)
GO
CREATE FUNCTION edw.fn_parcels (@carrier varchar(10), @from datetime = '19000101')
RETURNS int
WITH SCHEMABINDING, RETURNS NULL ON NULL INPUT
AS
BEGIN
    DECLARE @n int
    SELECT @n = SUM(Parcels) FROM raw.Shipment WHERE CarrierCode = @carrier AND PickupDate >= @from
    IF @n IS NULL RETURN 0
    RETURN @n
END
GO
CREATE FUNCTION edw.fn_open_shipments (@carrier varchar(10)) RETURNS TABLE AS
RETURN (
    SELECT ShipmentNo, PickupDate, FreightCost FROM raw.Shipment WHERE CarrierCode = @carrier AND ShipStatus = 'INTRANSIT'
)
GO
CREATE FUNCTION edw.fn_split (@s varchar(max), @sep char(1))
RETURNS @out TABLE (pos int NOT NULL, item varchar(8000))
AS
BEGIN
    DECLARE @i int = 1, @at int
    WHILE LEN(@s) > 0
    BEGIN
        SET @at = CHARINDEX(@sep, @s + @sep)
        INSERT INTO @out VALUES (@i, LEFT(@s, @at - 1))
        SELECT @s = SUBSTRING(@s, @at + 1, 8000), @i = @i + 1
    END
    RETURN
END
GO
CREATE VIEW edw.v_carrier (code, name_, open_cost)
WITH SCHEMABINDING
AS
SELECT c.CarrierCode, c.CarrierName, o.cost
FROM raw.Carrier c
OUTER APPLY (SELECT SUM(s.FreightCost) AS cost FROM raw.Shipment s WHERE s.CarrierCode = c.CarrierCode AND s.ShipStatus = 'INTRANSIT') o
WHERE c.MaxWeight >= 0
WITH CHECK OPTION
GO
CREATE TRIGGER raw.tr_shipment ON raw.Shipment AFTER INSERT, UPDATE
AS
IF UPDATE(ShipStatus) OR UPDATE(FreightCost)
BEGIN
    SET NOCOUNT ON
    UPDATE s SET ModifiedAt = GETDATE() FROM raw.Shipment s JOIN inserted i ON i.ShipmentNo = s.ShipmentNo
END
GO
CREATE PROCEDURE edw.Load_ByList @list raw.ShipmentList READONLY, @done int = NULL OUTPUT
AS
BEGIN
    DISABLE TRIGGER raw.tr_shipment ON raw.Shipment;
    UPDATE s
    SET s.Parcels = l.Parcels, s.ShipStatus = CASE WHEN l.Parcels > 0 THEN 'DELIVERED' ELSE s.ShipStatus END
    FROM raw.Shipment s
    JOIN @list l ON l.ShipmentNo = s.ShipmentNo
    SET @done = @@ROWCOUNT
    ENABLE TRIGGER raw.tr_shipment ON raw.Shipment;
    SELECT c.CarrierCode, edw.fn_parcels(c.CarrierCode, DEFAULT) AS parcels, x.n
    FROM raw.Carrier c
    CROSS APPLY (SELECT COUNT(*) AS n FROM edw.fn_open_shipments(c.CarrierCode)) x
END
GO
