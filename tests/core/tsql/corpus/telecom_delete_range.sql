create procedure mart.prc_load_fact_call_Range
    @FromDate date,
    @ToDate   date = null
as
begin
    set nocount on
    set @ToDate = COALESCE(@ToDate, cast(getdate() as date))
    if @FromDate > @ToDate
    begin
        RAISERROR('from date after to date', 16, 1)
        return
    end
    --SELECT TOP 100 * FROM landing.Subscriber

    delete from mart.fact_call
    where DateKey between convert(int, convert(char(8), @FromDate, 112)) and convert(int, convert(char(8), @ToDate, 112))

    insert into mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
    select t.CallId, d.subscriber_sk, convert(int, convert(char(8), t.CallStart, 112)), t.DurationSec, t.ChargedAmount, t.CallType
    from landing.CallRecord as t
    inner join mart.dim_subscriber as d on d.Msisdn = t.Msisdn and t.CallStart >= d.ValidFrom and t.CallStart < isnull(d.ValidTo, '99991231')
    where t.CallStart >= @FromDate and t.CallStart < DATEADD(day, 1, @ToDate)
end
