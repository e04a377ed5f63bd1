-- =============================================
-- Author:      m.weber
-- Create date: 2013-03-13
-- Description: core.p_Posting_Page
-- 2023  m.weber  ticket 4313: do not touch without asking
-- =============================================
CREATE PROCEDURE core.p_Posting_Page @page int = 1, @size Int = 50
as
BEGIN
    SET Transaction ISOLATION LEVEL READ UNCOMMITTED;
    If @page < 1 SET @page = 1;
    SELECT t.PostingId, t.BookingDate, DATENAME(month, t.BookingDate) AS month_name,
           CASE t.PostingType when 'PENDING' THEN 'open' WHEN 'BOOKED' THEN 'closed' ELSE LOWER(isnull(t.PostingType, '?')) End AS state,
           CASE WHEN t.EntryCount = 0 THEN null ELSE t.PostingAmount / t.EntryCount END AS unit
    FROM lnd.Posting t
    ORDER BY t.BookingDate DESC, t.PostingId
    OFFSET (@page - 1) * @size ROWS FETCH NEXT @size ROWS ONLY;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    -- changed 12.04.2018
END
