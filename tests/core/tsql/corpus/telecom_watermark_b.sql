-- =============================================
-- Author:      m.weber
-- Create date: 2015-05-15
-- Description: mart.prc_load_fact_call_Delta
-- 2025  m.weber  ticket 4515: do not touch without asking
-- =============================================
Create PROCEDURE mart.prc_load_fact_call_Delta
AS
BEGIN
    set NOCOUNT ON;
    declare @last datetime, @max DATETIME;

    Select @last = high_water FROM ops.job_watermark WHERE job_table = 'fact_call';
    IF @last IS NULL SET @last = '19000101';
    select @max = MAX(ModifiedAt) FROM landing.CallRecord;

    INSERT INTO mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
    Select t.CallId,
           ISNULL(d.subscriber_sk, -1),
           Convert(INT, CONVERT(VARCHAR(8), t.CallStart, 112)),
           t.DurationSec,
           t.ChargedAmount,
           t.CallType
    FROM landing.CallRecord t
    LEFT Join mart.dim_subscriber d
           On d.Msisdn = t.Msisdn
          AND d.IsCurrent = 1
    where t.ModifiedAt > @last
      And t.ModifiedAt <= @max
      And NOT EXISTS (SELECT 1 FROM mart.fact_call f Where f.CallId = t.CallId);

    Update ops.job_watermark set high_water = @max WHERE job_table = 'fact_call';
    IF @@ROWCOUNT = 0
        INSERT INTO ops.job_watermark (job_table, high_water) Values ('fact_call', @max);
        -- changed 12.04.2018
End
