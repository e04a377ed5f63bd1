/****** Object:  StoredProcedure core.p_F_POSTING_Delta    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE core.p_F_POSTING_Delta
AS
BEGIN
    SET NOCOUNT ON
    DECLARE @last datetime, @max datetime

    SELECT @last = LAST_TS FROM ctl.BATCH_CTRL WHERE BATCH_NAME = 'F_POSTING'
    IF @last IS NULL SET @last = '19000101'
    SELECT @max = MAX(ModifiedAt) FROM lnd.Posting

    INSERT INTO core.F_POSTING (PostingId, ACCOUNT_ID, DateKey, EntryCount, PostingAmount, PostingType)
    SELECT t.PostingId,
           ISNULL(d.ACCOUNT_ID, -1),
           CONVERT(int, CONVERT(varchar(8), t.BookingDate, 112)),
           t.EntryCount,
           t.PostingAmount,
           t.PostingType
    FROM lnd.Posting t
    LEFT JOIN core.D_ACCOUNT d
           ON d.AccountNo = t.AccountNo
          AND d.IsCurrent = 1
    WHERE t.ModifiedAt > @last
      AND t.ModifiedAt <= @max
      AND NOT EXISTS (SELECT 1 FROM core.F_POSTING f WHERE f.PostingId = t.PostingId)

    UPDATE ctl.BATCH_CTRL SET LAST_TS = @max WHERE BATCH_NAME = 'F_POSTING'
    IF @@ROWCOUNT = 0
        INSERT INTO ctl.BATCH_CTRL (BATCH_NAME, LAST_TS) VALUES ('F_POSTING', @max)
END
