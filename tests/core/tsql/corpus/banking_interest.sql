CREATE PROCEDURE core.p_AccrueInterest
    @value_date date,
    @rate       decimal(9, 6) = 0.0125,
    @accounts   int = NULL OUTPUT,
    @amount     money = 0 OUTPUT
AS
SET NOCOUNT ON

declare @basis int
set @basis = case when day(eomonth(datefromparts(year(@value_date), 2, 1))) = 29 then 366 else 365 end

if exists (select 1 from lnd.Posting where PostingType = 'INTEREST' and BookingDate = @value_date)
begin
    raiserror (N'interest already booked for %d', 11, 1, @basis) with log, nowait
    return -2
end

create table #bal (AccountNo char(16) not null primary key, bal decimal(38, 2), days int)

insert #bal
select a.AccountNo, isnull(sum(p.PostingAmount), 0), datediff(day, min(p.BookingDate), @value_date)
from lnd.Account a left join lnd.Posting p on p.AccountNo = a.AccountNo and p.BookingDate <= @value_date
where a.ProductCode in (select PRODUCT_CODE from core.PRODUCT_REF where PRODUCT_TEXT not like '%closed%')
group by a.AccountNo

delete #bal where bal = 0 or days is null

declare @next int = (select isnull(max(PostingId), 0) from lnd.Posting)

insert into lnd.Posting (PostingId, AccountNo, BookingDate, EntryCount, PostingAmount, PostingType)
select @next + row_number() over (order by AccountNo), AccountNo, @value_date, 1,
       round(bal * case when bal < 0 then @rate * 4 else @rate end / @basis, 2), 'INTEREST'
from #bal

select @accounts = @@rowcount, @amount = sum(PostingAmount) from lnd.Posting where PostingType = 'INTEREST' and BookingDate = @value_date

if isnull(@amount, 0) > 5000.00
    print 'large accrual: ' + convert(varchar(30), @amount, 1)
else if @amount is null
    print 'nothing accrued'
else
begin
    declare @msg varchar(100); set @msg = 'accrued ' + ltrim(str(@amount, 18, 2)) + ' on ' + cast(@accounts as varchar) + ' accounts'
    print @msg
end
