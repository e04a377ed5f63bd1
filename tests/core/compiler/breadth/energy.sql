CREATE TABLE dbo.MeterReadRaw (MeterNo varchar(16) NOT NULL, ReadTs datetime NOT NULL, Reading float NULL, Quality varchar(10) NULL, FileName varchar(200) NULL)
CREATE TABLE dbo.Meter (MeterId int NOT NULL PRIMARY KEY, MeterNo varchar(16) NOT NULL, Multiplier decimal(9,4) NOT NULL, CustomerId int NULL, Commissioned date NULL)
CREATE TABLE dbo.MeterRead (MeterId int NOT NULL, ReadDate date NOT NULL, Reading decimal(18,3) NULL, Consumption decimal(18,3) NULL, RunningTotal decimal(18,3) NULL, Avg7 decimal(18,3) NULL, PrevReadDate date NULL, NextReadDate date NULL, DaysGap int NULL, IsEstimated bit NOT NULL, CONSTRAINT PK_MR PRIMARY KEY (MeterId, ReadDate))
CREATE TABLE dbo.MonthlyBill (CustomerId int NOT NULL, BillMonth char(7) NOT NULL, KWh decimal(18,3) NULL, Peak decimal(18,3) NULL, OffPeak decimal(18,3) NULL, Amount money NULL, BillText varchar(100) NULL, PRIMARY KEY (CustomerId, BillMonth))
CREATE TABLE dbo.Tariff (TariffCode varchar(10) NOT NULL, Rate decimal(9,5) NOT NULL, EffFrom date NOT NULL, EffTo date NULL)
GO
CREATE PROCEDURE dbo.sp_load_meter_reads
AS
SET NOCOUNT ON
TRUNCATE TABLE dbo.MeterRead
;with ranked as (
 select m.MeterId, cast(r.ReadTs as date) as ReadDate, r.Reading * m.Multiplier as Reading, r.Quality,
   row_number() over (partition by m.MeterId, cast(r.ReadTs as date) order by r.ReadTs desc) rn
 from dbo.MeterReadRaw r join dbo.Meter m on m.MeterNo = r.MeterNo
 where r.Reading is not null and r.Quality <> 'BAD'
)
insert into dbo.MeterRead
select MeterId, ReadDate, Reading,
 Reading - lag(Reading, 1, Reading) over (partition by MeterId order by ReadDate),
 sum(Reading) over (partition by MeterId order by ReadDate rows between unbounded preceding and current row),
 avg(Reading) over (partition by MeterId order by ReadDate rows 6 preceding),
 lag(ReadDate) over (partition by MeterId order by ReadDate),
 lead(ReadDate) over (partition by MeterId order by ReadDate),
 datediff(d, lag(ReadDate) over (partition by MeterId order by ReadDate), ReadDate),
 case Quality when 'EST' then 1 else 0 end
from ranked where rn = 1
GO
CREATE PROCEDURE dbo.sp_bill_month @Month int, @Year int
AS
BEGIN
declare @start date = datefromparts(@Year, @Month, 1)
declare @end date = eomonth(@start)
declare @label char(7) = convert(char(7), @start, 126)
delete b from dbo.MonthlyBill b inner join dbo.Meter m on m.CustomerId = b.CustomerId where b.BillMonth = @label
insert into dbo.MonthlyBill (CustomerId, BillMonth, KWh, Peak, OffPeak, Amount, BillText)
select m.CustomerId, @label, sum(r.Consumption),
  sum(case when datepart(weekday, r.ReadDate) in (1,7) then 0 else r.Consumption end),
  sum(case when datename(weekday, r.ReadDate) in ('Saturday','Sunday') then r.Consumption else 0 end),
  sum(r.Consumption * t.Rate),
  'Bill for ' + datename(month, @start) + ' ' + cast(@Year as varchar(4))
from dbo.MeterRead r
join dbo.Meter m on m.MeterId = r.MeterId
cross apply (select top 1 tt.Rate from dbo.Tariff tt where tt.EffFrom <= r.ReadDate and (tt.EffTo is null or tt.EffTo >= r.ReadDate) order by tt.EffFrom desc) t
where r.ReadDate between @start and @end and m.CustomerId is not null
group by m.CustomerId
END
GO
