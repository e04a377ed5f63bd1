/* mart.prc_load_fact_call_Rebuild  (SQLAgent) */
CREATE PROCEDURE mart.prc_load_fact_call_Rebuild
WITH RECOMPILE, EXECUTE AS OWNER
AS
BEGIN
    SET NOCOUNT ON;
    ALTER TABLE mart.fact_call NOCHECK CONSTRAINT ALL;
    ALTER INDEX ALL ON mart.fact_call DISABLE;
    ALTER INDEX PK_fact_call ON mart.fact_call REBUILD WITH (SORT_IN_TEMPDB = ON);
    INSERT INTO mart.fact_call WITH (TABLOCK) (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
    SELECT a.CallId, -1, 19000101, a.DurationSec, a.ChargedAmount, a.CallType FROM mart.CallRecordArchive a
    OPTION (MAXDOP 4, RECOMPILE);
    --PRINT 'debug'
    ALTER INDEX ALL ON mart.fact_call REBUILD;
    ALTER TABLE mart.fact_call WITH CHECK CHECK CONSTRAINT ALL;
END
