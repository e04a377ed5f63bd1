CREATE TABLE [stg].[Subscriber](
	[MSISDN] varchar(20) NOT NULL, [FirstName] nvarchar(60) NULL, [LastName] nvarchar(60) NULL, [Plan] varchar(30) NULL,
	[Email] varchar(120) NULL, [ActivationDt] datetime NULL, [Credit] money NULL, [Region] char(2) NULL, [LoadedAt] datetime NOT NULL DEFAULT (getdate()))
GO
CREATE TABLE [dw].[DimSubscriber](
	[SubscriberKey] int IDENTITY(100,1) NOT NULL PRIMARY KEY, [MSISDN] varchar(20) NOT NULL, [FullName] nvarchar(130) NULL, [Plan] varchar(30) NOT NULL,
	[Email] varchar(120) NULL, [ActivationDateKey] int NULL, [Credit] money NULL, [RowHash] varbinary(32) NULL,
	[ValidFrom] date NOT NULL, [ValidTo] date NULL, [IsCurrent] bit NOT NULL)
GO
CREATE TABLE dw.FactUsage(UsageKey bigint identity(1,1) not null, SubscriberKey int not null, DateKey int not null, CellCode varchar(10) null, Minutes decimal(12,2) null, MB decimal(18,4) null, Charge money null, LoadId int null)
CREATE TABLE stg.CDR(CallId bigint not null, MSISDN varchar(20) not null, CallStart datetime2(3) not null, CallEnd datetime2(3) null, CellCode varchar(10) null, Bytes bigint null, Rate decimal(9,4) null)
CREATE TABLE dbo.EtlLog(LogId int identity(1,1), ProcName sysname, Msg nvarchar(4000), Rows int, At datetime)
GO
create procedure dw.usp_LoadDimSubscriber @LoadDate date = null
as
begin
	set nocount on
	if @LoadDate is null set @LoadDate = cast(getdate() as date)
	declare @rc int
	begin try
		begin tran
		select s.MSISDN, ltrim(rtrim(isnull(s.FirstName,'') + ' ' + isnull(s.LastName,''))) as FullName, isnull(s.[Plan],'UNKNOWN') as [Plan], s.Email,
			convert(int, convert(varchar(8), s.ActivationDt, 112)) as ActivationDateKey, s.Credit,
			HASHBYTES('SHA2_256', CONCAT(s.FirstName,'|',s.LastName,'|',s.[Plan],'|',s.Email,'|',s.Credit)) as RowHash
		into #src
		from stg.Subscriber s
		-- expire what changed
		update d set d.ValidTo = dateadd(day,-1,@LoadDate), d.IsCurrent = 0
		from dw.DimSubscriber d
		inner join #src s on s.MSISDN = d.MSISDN
		where d.IsCurrent = 1 and d.RowHash <> s.RowHash
		-- new versions
		insert into dw.DimSubscriber(MSISDN, FullName, [Plan], Email, ActivationDateKey, Credit, RowHash, ValidFrom, ValidTo, IsCurrent)
		select s.MSISDN, s.FullName, s.[Plan], s.Email, s.ActivationDateKey, s.Credit, s.RowHash, @LoadDate, null, 1
		from #src s left join dw.DimSubscriber d on d.MSISDN = s.MSISDN and d.IsCurrent = 1
		where d.SubscriberKey is null
		set @rc = @@rowcount
		insert into dbo.EtlLog(ProcName, Msg, Rows, At) values (object_name(@@procid), 'ok', @rc, getdate())
		commit
	end try
	begin catch
		if @@trancount > 0 rollback
		insert into dbo.EtlLog(ProcName, Msg, Rows, At) values (object_name(@@procid), error_message(), 0, getdate());
		throw
	end catch
end
GO
CREATE PROC dw.usp_LoadFactUsage (@FromDate date, @ToDate date, @LoadId int = 0)
AS
SET NOCOUNT ON;
DELETE f FROM dw.FactUsage f WHERE f.DateKey BETWEEN CONVERT(int, CONVERT(char(8), @FromDate, 112)) AND CONVERT(int, CONVERT(char(8), @ToDate, 112))

;WITH calls AS (
	SELECT c.MSISDN, CAST(c.CallStart AS date) d, UPPER(ISNULL(NULLIF(LTRIM(RTRIM(c.CellCode)),''),'N/A')) CellCode,
		DATEDIFF(SECOND, c.CallStart, ISNULL(c.CallEnd, c.CallStart)) AS Secs, ISNULL(c.Bytes,0) Bytes, ISNULL(c.Rate,0) Rate
	FROM stg.CDR c WITH (NOLOCK)
	WHERE c.CallStart >= @FromDate AND c.CallStart < DATEADD(dd, 1, @ToDate)
), agg AS (
	SELECT MSISDN, d, CellCode, SUM(Secs) / 60.0 AS Minutes, SUM(Bytes) / 1048576.0 AS MB, SUM(Secs / 60.0 * Rate) AS Charge
	FROM calls GROUP BY MSISDN, d, CellCode
)
INSERT dw.FactUsage (SubscriberKey, DateKey, CellCode, Minutes, MB, Charge, LoadId)
SELECT ISNULL(s.SubscriberKey, -1), YEAR(a.d)*10000 + MONTH(a.d)*100 + DAY(a.d), a.CellCode, ROUND(a.Minutes, 2), a.MB, a.Charge, @LoadId
FROM agg a
LEFT OUTER JOIN dw.DimSubscriber s ON s.MSISDN = a.MSISDN AND a.d >= s.ValidFrom AND a.d <= ISNULL(s.ValidTo, '99991231')
GO
