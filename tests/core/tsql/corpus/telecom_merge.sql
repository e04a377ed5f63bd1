/* mart.prc_load_tariff_plan_Merge  (T. Okafor) */
CREATE OR ALTER PROCEDURE mart.prc_load_tariff_plan_Merge
    @delete_missing Bit = 0
AS
begin
    DECLARE @changes TABLE (act NVARCHAR(10), code varchar(20));
    DECLARE @ins int, @upd Int;
    --PRINT 'debug'

    ;WITH codes AS (
        select DISTINCT UPPER(LTRIM(RTRIM(TariffPlan))) as code
        FROM landing.Subscriber
        WHERE TariffPlan Is not null AND LEN(TariffPlan) > 0
    )
    MERGE INTO mart.tariff_plan WITH (HOLDLOCK) AS t
    USING codes As c ON t.plan_code = c.code
    WHEN NOT MATCHED THEN insert (plan_code, plan_name) VALUES (c.code, c.code + ' (new)')
    WHEN MATCHED AND t.plan_name IS NULL THEN Update SET plan_name = c.code
    output $action, ISNULL(inserted.plan_code, deleted.plan_code) INTO @changes (act, code);

    SELECT @ins = SUM(case When act = 'INSERT' then 1 Else 0 END),
           @upd = sum(case when act = 'UPDATE' then 1 Else 0 END)
    FROM @changes;

    if @delete_missing = 1
        DELETE r
        FROM mart.tariff_plan r
        LEFT join landing.Subscriber s ON s.TariffPlan = r.plan_code
        WHERE s.Msisdn is NULL;

    insert INTO ops.job_log (job_name, rows_loaded, job_status, job_message)
    VALUES ('prc_load_tariff_plan_Merge', ISNULL(@ins, 0) + ISNULL(@upd, 0), 'OK', CONCAT('ins=', @ins, ' upd=', @upd));
    /* nested /* comment */ stays out */
END
GO
