/* [mart].[prc_load_fact_call_Since]  (m.weber) */
CREATE PROCEDURE [mart].[prc_load_fact_call_Since] (@since datetime = NULL, @rows int OUTPUT)
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @from datetime = ISNULL(@since, (SELECT MAX(high_water) FROM ops.job_watermark WHERE job_table = 'fact_call'));
    BEGIN TRY
        BEGIN TRAN;
        WITH src AS (
            SELECT CallId, Msisdn, CallStart, DurationSec, ChargedAmount, CallType,
                   ROW_NUMBER() OVER (PARTITION BY CallId ORDER BY ModifiedAt DESC) AS rn
            FROM landing.CallRecord
            WHERE @from IS NULL OR ModifiedAt >= @from
        )
        INSERT mart.fact_call (CallId, subscriber_sk, DateKey, DurationSec, ChargedAmount, CallType)
        SELECT s.CallId, d.subscriber_sk, YEAR(s.CallStart) * 10000 + MONTH(s.CallStart) * 100 + DAY(s.CallStart), s.DurationSec, s.ChargedAmount, s.CallType
        FROM src s
        JOIN mart.dim_subscriber d ON d.Msisdn = s.Msisdn AND d.IsCurrent = 1
        LEFT JOIN mart.fact_call f ON f.CallId = s.CallId
        WHERE s.rn = 1 AND f.CallId IS NULL;
        SET @rows = @@ROWCOUNT;
        COMMIT TRAN;
    END TRY
    BEGIN CATCH
        IF XACT_STATE() <> 0 ROLLBACK TRAN;
        DECLARE @msg nvarchar(2048) = ERROR_MESSAGE(), @sev int = ERROR_SEVERITY(), @state int = ERROR_STATE();
        RAISERROR(@msg, @sev, @state);
        RETURN -1;
    END CATCH;
    RETURN 0;
END
