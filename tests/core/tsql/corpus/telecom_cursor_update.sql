CREATE PROCEDURE landing.prc_round_up
AS
DECLARE @sec int, @cur CURSOR
SET @cur = CURSOR LOCAL KEYSET FOR SELECT DurationSec FROM landing.CallRecord WHERE CallType = 'VOICE' FOR UPDATE OF DurationSec
OPEN @cur
FETCH FIRST FROM @cur INTO @sec
WHILE @@FETCH_STATUS <> -1
BEGIN
    IF @@FETCH_STATUS <> -2 AND @sec % 60 > 0
        UPDATE landing.CallRecord SET DurationSec = (@sec / 60 + 1) * 60 WHERE CURRENT OF @cur
    FETCH NEXT FROM @cur INTO @sec
END
CLOSE @cur
DEALLOCATE @cur
