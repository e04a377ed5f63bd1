-- =============================================
-- Author:      -
-- Create date: 2014-04-14
-- Description: mart.prc_load_Subscriber_Names
-- 2024  -  ticket 4414: do not touch without asking
-- =============================================
CREATE PROCEDURE mart.prc_load_Subscriber_Names @class varchar(20) = NULL
AS
SELECT e.Region,
       names = STUFF((SELECT ', ' + x.SubscriberName FROM landing.Subscriber x WHERE x.Region = e.Region ORDER BY x.SubscriberName FOR XML PATH('')), 1, 2, ''),
       COUNT(*) cnt,
       'last change' = MAX(e.ModifiedAt)
FROM landing.Subscriber AS e
WHERE @class IS NULL OR e.TariffPlan LIKE @class + '%'
GROUP BY e.Region
HAVING COUNT(*) > 1
