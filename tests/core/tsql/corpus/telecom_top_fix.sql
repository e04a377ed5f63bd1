CREATE PROCEDURE landing.prc_fix_call_types @n int = 10000
AS
BEGIN
    SET NOCOUNT ON
    UPDATE TOP (@n) landing.CallRecord
    SET CallType = 'UNKNOWN'
    WHERE CallType IS NULL OR LTRIM(CallType) = ''
    IF @@ROWCOUNT = @n
        PRINT 'there may be more, run again'

    DELETE TOP (5000) FROM landing.CallRecord
    WHERE DurationSec IS NULL AND ChargedAmount IS NULL
END
