/****** Object:  StoredProcedure dm.usp_Refresh_Reading_Page    Script Date: 3/2/2019 10:22:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE dm.usp_Refresh_Reading_Page @page int = 1, @size int = 50
AS
BEGIN
    SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;
    IF @page < 1 SET @page = 1;
    SELECT t.ReadingId, t.ReadingDate, DATENAME(month, t.ReadingDate) AS month_name,
           CASE t.ReadingStatus WHEN 'ESTIMATED' THEN 'open' WHEN 'ACTUAL' THEN 'closed' ELSE LOWER(ISNULL(t.ReadingStatus, '?')) END AS state,
           CASE WHEN t.Kwh = 0 THEN NULL ELSE t.EnergyCost / t.Kwh END AS unit
    FROM stage.Reading t
    ORDER BY t.ReadingDate DESC, t.ReadingId
    OFFSET (@page - 1) * @size ROWS FETCH NEXT @size ROWS ONLY;
    --PRINT 'debug'
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
END
