CREATE PROCEDURE [core].[p_POSTING_MONTH_Rebuild]
    @YearMonth char(6)
AS
BEGIN
    SET NOCOUNT ON;
    DECLARE @n int;
    BEGIN TRANSACTION;

    DELETE FROM [core].[POSTING_MONTH] WHERE [YearMonth] = @YearMonth;

    INSERT INTO [core].[POSTING_MONTH] ([YearMonth], [ProductCode], [BranchCode], [TotalEntryCount], [TotalPostingAmount], [EntityCount])
    SELECT @YearMonth, a.[ProductCode], a.[BranchCode], SUM(p.[EntryCount]), SUM(p.[PostingAmount]), COUNT(DISTINCT p.[AccountNo])
    FROM [lnd].[Posting] p
    INNER JOIN [lnd].[Account] a ON a.[AccountNo] = p.[AccountNo]
    WHERE CONVERT(char(6), p.[BookingDate], 112) = @YearMonth
      AND a.[ProductCode] IS NOT NULL AND a.[BranchCode] IS NOT NULL
    GROUP BY a.[ProductCode], a.[BranchCode];

    SET @n = @@ROWCOUNT;
    -- never leave a month empty that had figures
    IF @n = 0
    BEGIN
        ROLLBACK TRANSACTION;
        PRINT 'month not delivered, old figures kept';
        RETURN 2;
    END;

    COMMIT TRANSACTION;
    RETURN 0;
END;
