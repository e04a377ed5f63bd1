CREATE TABLE pms.Reservation(ResId int NOT NULL PRIMARY KEY, HotelCode varchar(8) NOT NULL, GuestId int NULL, CheckIn date NULL, CheckOut date NULL, RoomType varchar(10) NULL, Rate smallmoney NULL, Status char(1) NULL, Channel varchar(20) NULL, UpdatedAt datetime2 NULL)
CREATE TABLE pms.Guest(GuestId int NOT NULL PRIMARY KEY, Title varchar(10) NULL, First varchar(50) NULL, Last varchar(50) NULL, Country char(2) NULL, Vip bit NULL, Email varchar(100) NULL)
CREATE TABLE rpt.Occupancy(HotelCode varchar(8) NOT NULL, StayDate date NOT NULL, RoomNights int NOT NULL, Revenue money NULL, ADR money NULL, CONSTRAINT pk_occ PRIMARY KEY (HotelCode, StayDate))
CREATE TABLE rpt.GuestHist(GuestHistId int IDENTITY NOT NULL, GuestId int NOT NULL, FullName varchar(120) NULL, Country char(2) NULL, Vip bit NULL, Email varchar(100) NULL, EffFrom datetime NOT NULL, EffTo datetime NOT NULL, IsActive char(1) NOT NULL)
CREATE TABLE dbo.Numbers(N int NOT NULL PRIMARY KEY)
CREATE TABLE rpt.ChannelMix(HotelCode varchar(8) NULL, YearMonth varchar(7) NULL, Web int NULL, Phone int NULL, Agent int NULL, Share decimal(5,2) NULL)
CREATE TABLE rpt.StayRunning(HotelCode varchar(8) not null, ResId int not null, FirstRes int null, LastRes int null, Nights int null, CumNights int null, Pct float null, Grp varchar(20) null)
GO
CREATE PROCEDURE rpt.BuildOccupancy @DaysBack INT = 30 AS
BEGIN
	SET NOCOUNT ON;
	DECLARE @cutoff DATE
	SET @cutoff = DATEADD(DAY, -@DaysBack, CONVERT(DATE, GETDATE()))

	DELETE FROM rpt.Occupancy WHERE StayDate >= @cutoff

	INSERT INTO rpt.Occupancy
	SELECT r.HotelCode, DATEADD(DAY, n.N, r.CheckIn), COUNT(*), SUM(r.Rate), SUM(r.Rate) / COUNT(*)
	FROM pms.Reservation r INNER JOIN dbo.Numbers n ON n.N >= 0 AND n.N < DATEDIFF(DAY, r.CheckIn, r.CheckOut)
	WHERE r.Status NOT IN ('X','N') AND DATEADD(DAY, n.N, r.CheckIn) >= @cutoff
	GROUP BY r.HotelCode, DATEADD(DAY, n.N, r.CheckIn)
	HAVING COUNT(*) > 0
END
GO
CREATE PROCEDURE rpt.LoadGuestHist AS
BEGIN
	DECLARE @ts datetime = GETDATE();
	DECLARE @high datetime = '9999-12-31';
	INSERT INTO rpt.GuestHist (GuestId, FullName, Country, Vip, Email, EffFrom, EffTo, IsActive)
	SELECT GuestId, FullName, Country, Vip, Email, @ts, @high, 'Y'
	FROM (
		MERGE rpt.GuestHist AS tgt
		USING (SELECT GuestId, CONCAT(Title + ' ', First, ' ', Last) AS FullName, Country, ISNULL(Vip,0) AS Vip, LOWER(Email) AS Email FROM pms.Guest) AS src
		ON tgt.GuestId = src.GuestId AND tgt.IsActive = 'Y'
		WHEN NOT MATCHED THEN INSERT (GuestId, FullName, Country, Vip, Email, EffFrom, EffTo, IsActive) VALUES (src.GuestId, src.FullName, src.Country, src.Vip, src.Email, @ts, @high, 'Y')
		WHEN MATCHED AND (ISNULL(tgt.FullName,'') <> ISNULL(src.FullName,'') OR ISNULL(tgt.Country,'') <> ISNULL(src.Country,'') OR tgt.Vip <> src.Vip OR ISNULL(tgt.Email,'') <> ISNULL(src.Email,'')) THEN
			UPDATE SET tgt.EffTo = @ts, tgt.IsActive = 'N'
		OUTPUT $action AS act, src.GuestId, src.FullName, src.Country, src.Vip, src.Email
	) AS chg
	WHERE act = 'UPDATE';
END
GO
CREATE PROCEDURE rpt.ChannelMixLoad (@From char(7) = '2024-01') AS
  DELETE rpt.ChannelMix WHERE YearMonth >= @From
  INSERT rpt.ChannelMix(HotelCode, YearMonth, Web, Phone, Agent, Share)
  SELECT p.HotelCode, p.ym, p.[WEB], p.[PHONE], p.[AGENT], CAST(100.0 * p.[WEB] / NULLIF(p.[WEB] + p.[PHONE] + p.[AGENT], 0) AS decimal(5,2))
  FROM (SELECT HotelCode, CONVERT(varchar(7), CheckIn, 120) ym, Channel, ResId FROM pms.Reservation WHERE CheckIn IS NOT NULL) s
  PIVOT (COUNT(ResId) FOR Channel IN ([WEB],[PHONE],[AGENT])) AS p
  WHERE p.ym >= @From
GO
CREATE PROCEDURE rpt.StayRunningLoad AS
BEGIN
  TRUNCATE TABLE rpt.StayRunning;
  INSERT INTO rpt.StayRunning
  SELECT HotelCode, ResId,
    FIRST_VALUE(ResId) OVER (PARTITION BY HotelCode ORDER BY CheckIn, ResId),
    LAST_VALUE(ResId) OVER (PARTITION BY HotelCode ORDER BY CheckIn, ResId ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
    DATEDIFF(dd, CheckIn, CheckOut),
    SUM(DATEDIFF(dd, CheckIn, CheckOut)) OVER (PARTITION BY HotelCode ORDER BY CheckIn, ResId ROWS UNBOUNDED PRECEDING),
    PERCENT_RANK() OVER (PARTITION BY HotelCode ORDER BY Rate),
    CHOOSE(NTILE(3) OVER (ORDER BY Rate, ResId), 'low', 'mid', 'high')
  FROM pms.Reservation
END
GO
