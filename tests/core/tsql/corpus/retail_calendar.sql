CREATE PROCEDURE dbo.usp_FillCalendar @from date, @to date
AS
BEGIN
    SET NOCOUNT ON
    SET DATEFIRST 1
    IF OBJECT_ID('dbo.Calendar') IS NULL
        CREATE TABLE dbo.Calendar (
            DateKey int NOT NULL PRIMARY KEY,
            TheDate date NOT NULL UNIQUE,
            IsoWeek tinyint NULL,
            WeekdayName varchar(12) NULL,
            Quarter AS ('Q' + CAST(DATEPART(quarter, TheDate) AS char(1))) PERSISTED,
            IsWeekend bit NOT NULL DEFAULT 0
        ) ON [PRIMARY]
    ;WITH days AS (
        SELECT @from AS d
        UNION ALL
        SELECT DATEADD(day, 1, d) FROM days WHERE d < @to
    )
    INSERT INTO dbo.Calendar (DateKey, TheDate, IsoWeek, WeekdayName, IsWeekend)
    SELECT YEAR(d) * 10000 + MONTH(d) * 100 + DAY(d), d, DATEPART(iso_week, d), DATENAME(weekday, d),
           CASE WHEN DATEPART(dw, d) IN (6, 7) THEN 1 ELSE 0 END
    FROM days
    WHERE NOT EXISTS (SELECT 1 FROM dbo.Calendar c WHERE c.TheDate = days.d)
    OPTION (MAXRECURSION 0)
    RETURN @@ROWCOUNT
END
GO
EXEC dbo.usp_FillCalendar '20240101', '20241231'
