CREATE PROCEDURE [core].[p_Reconcile] AS
BEGIN
	SET NOCOUNT ON;

	SELECT 'missing' AS kind, p.PostingId, p.PostingAmount INTO #diff
	FROM lnd.Posting p WHERE NOT EXISTS (SELECT NULL FROM core.F_POSTING f WHERE f.PostingId = p.PostingId)
	UNION ALL
	SELECT 'orphan', f.PostingId, f.PostingAmount FROM core.F_POSTING f LEFT JOIN lnd.Posting p ON p.PostingId = f.PostingId WHERE p.PostingId IS NULL
	UNION ALL
	(SELECT 'amount', x.PostingId, x.PostingAmount FROM (
		SELECT PostingId, PostingAmount FROM lnd.Posting
		EXCEPT
		SELECT PostingId, PostingAmount FROM core.F_POSTING
	) x INNER JOIN core.F_POSTING f ON x.PostingId = f.PostingId);

	IF (SELECT COUNT(*) FROM #diff) > 0 BEGIN
		DECLARE @n int = @@ROWCOUNT, @first int;
		SELECT TOP 1 @first = PostingId FROM #diff ORDER BY PostingAmount DESC;
		INSERT ctl.BATCH_LOG (BATCH_NAME, ROWS_OUT, STATE, INFO) VALUES ('reconcile', @n, 'DIFF', 'first: ' + CONVERT(varchar(12), @first));
		MERGE core.F_POSTING t USING (SELECT p.*, d.ACCOUNT_ID FROM lnd.Posting p JOIN core.D_ACCOUNT d ON d.AccountNo = p.AccountNo AND d.IsCurrent = 1) s ON t.PostingId = s.PostingId
		WHEN MATCHED AND EXISTS (SELECT s.PostingAmount EXCEPT SELECT t.PostingAmount) THEN UPDATE SET PostingAmount = s.PostingAmount
		WHEN NOT MATCHED THEN INSERT (PostingId, ACCOUNT_ID, DateKey, EntryCount, PostingAmount, PostingType)
			VALUES (s.PostingId, s.ACCOUNT_ID, CONVERT(int, CONVERT(varchar, s.BookingDate, 112)), s.EntryCount, s.PostingAmount, s.PostingType)
		WHEN NOT MATCHED BY SOURCE THEN DELETE;
	END
	ELSE IF NOT EXISTS (SELECT 1 FROM lnd.Posting) AND 1 = 1
		RAISERROR ('no postings at all', 16, 1);
	ELSE PRINT 'clean';

	RETURN (SELECT COUNT(*) FROM #diff);
END
