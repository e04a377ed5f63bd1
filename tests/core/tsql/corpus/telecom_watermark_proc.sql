CREATE PROCEDURE ops.prc_get_mark @table varchar(128), @mark datetime OUTPUT
AS
BEGIN
    SELECT @mark = high_water FROM ops.job_watermark WHERE job_table = @table
    IF @mark IS NULL
        SET @mark = '19000101'
END
GO
CREATE PROCEDURE mart.prc_load_fact_call_Marked
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @from datetime, @to datetime
    EXEC ops.prc_get_mark 'fact_call', @from OUTPUT
    SELECT @to = MAX(ModifiedAt) FROM landing.CallRecord
    IF @to IS NULL OR @to <= @from
    BEGIN
        EXEC ops.WriteLog 'fact_call', 0, 'SKIPPED'
        RETURN 0
    END
    DELETE f FROM mart.fact_call f JOIN landing.CallRecord c ON c.CallId = f.CallId WHERE c.ModifiedAt > @from AND c.ModifiedAt <= @to
    INSERT INTO mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
    SELECT c.CallId, s.subscriber_sk, CONVERT(int, CONVERT(char(8), c.CallStart, 112)), c.DurationSec, c.ChargedAmount, c.CallType
    FROM landing.CallRecord c
    JOIN (SELECT Msisdn, MAX(subscriber_sk) AS subscriber_sk FROM mart.dim_subscriber WHERE IsCurrent = 1 GROUP BY Msisdn) s ON s.Msisdn = c.Msisdn
    WHERE c.ModifiedAt > @from AND c.ModifiedAt <= @to
    IF EXISTS (SELECT 1 FROM ops.job_watermark WHERE job_table = 'fact_call')
        UPDATE ops.job_watermark SET high_water = @to WHERE job_table = 'fact_call'
    ELSE
        INSERT ops.job_watermark (job_table, high_water) VALUES ('fact_call', @to)
END
