CREATE PROCEDURE rpt.usp_AddCharge @id int NOT NULL, @amt decimal(18, 2) NOT NULL
WITH NATIVE_COMPILATION, SCHEMABINDING
AS
BEGIN ATOMIC WITH (TRANSACTION ISOLATION LEVEL = SNAPSHOT, LANGUAGE = N'us_english')
    DECLARE @n int NOT NULL = 0
    UPDATE src.Encounter SET TotalCharge += @amt WHERE EncounterId = @id
    SET @n = @@ROWCOUNT
    IF @n = 0 THROW 50404, N'no such encounter', 1
END
