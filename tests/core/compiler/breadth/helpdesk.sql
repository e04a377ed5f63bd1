CREATE TABLE ods.Ticket(TicketId int NOT NULL, Status varchar(20) NULL, Priority tinyint NULL, OpenedAt datetime NULL, ClosedAt datetime NULL, AgentId int NULL, Tags varchar(200) NULL, Payload nvarchar(max) NULL)
CREATE TABLE ods.Agent(AgentId int NOT NULL, AgentName nvarchar(80) NULL, Team varchar(30) NULL)
CREATE TABLE mart.TicketStatusByTeam(Team varchar(30) NULL, [Open] int NULL, [Closed] int NULL, [In Progress] int NULL, Total int NULL)
CREATE TABLE mart.TicketTag(TicketId int NOT NULL, Tag varchar(100) NULL, Pos int NULL)
CREATE TABLE mart.TicketJson(TicketId int NOT NULL, Channel nvarchar(50) NULL, Score int NULL, City nvarchar(80) NULL)
CREATE TABLE mart.TicketItem(TicketId int NOT NULL, Sku nvarchar(40) NULL, Qty int NULL)
CREATE TABLE mart.AgentTags(AgentId int NOT NULL, AgentName nvarchar(80) NULL, TicketList varchar(max) NULL, TagList nvarchar(4000) NULL)
CREATE TABLE mart.TicketMetric(TicketId int NOT NULL, Metric nvarchar(128) NOT NULL, Val int NULL)
GO
CREATE PROCEDURE mart.LoadTicketStatusByTeam AS
BEGIN
 SET NOCOUNT ON
 TRUNCATE TABLE mart.TicketStatusByTeam
 INSERT INTO mart.TicketStatusByTeam (Team, [Open], [Closed], [In Progress], Total)
 SELECT Team, [Open], [Closed], [In Progress], ISNULL([Open],0) + ISNULL([Closed],0) + ISNULL([In Progress],0)
 FROM (SELECT a.Team, t.Status, t.TicketId FROM ods.Ticket t LEFT JOIN ods.Agent a ON a.AgentId = t.AgentId) src
 PIVOT (COUNT(TicketId) FOR Status IN ([Open], [Closed], [In Progress])) p
END
GO
CREATE PROCEDURE mart.LoadTicketTag AS
BEGIN
 DELETE FROM mart.TicketTag
 INSERT mart.TicketTag(TicketId, Tag, Pos)
 SELECT t.TicketId, LTRIM(RTRIM(s.value)), ROW_NUMBER() OVER (PARTITION BY t.TicketId ORDER BY s.value)
 FROM ods.Ticket t CROSS APPLY STRING_SPLIT(t.Tags, ',') s
 WHERE t.Tags IS NOT NULL AND s.value <> ''
END
GO
CREATE PROCEDURE mart.LoadTicketJson AS
BEGIN
 TRUNCATE TABLE mart.TicketJson;
 INSERT INTO mart.TicketJson
 SELECT TicketId, JSON_VALUE(Payload, '$.channel'), TRY_CONVERT(int, JSON_VALUE(Payload, '$.score')), JSON_VALUE(Payload, '$.address.city')
 FROM ods.Ticket WHERE ISJSON(Payload) = 1
 TRUNCATE TABLE mart.TicketItem;
 INSERT INTO mart.TicketItem
 SELECT t.TicketId, i.sku, i.qty
 FROM ods.Ticket t CROSS APPLY OPENJSON(t.Payload, '$.items') WITH (sku nvarchar(40) '$.sku', qty int '$.qty') i
 WHERE ISJSON(t.Payload) = 1
END
GO
CREATE PROCEDURE mart.LoadAgentTags AS
 TRUNCATE TABLE mart.AgentTags
 INSERT mart.AgentTags
 SELECT a.AgentId, a.AgentName,
  STUFF((SELECT ', ' + CAST(t.TicketId AS varchar(12)) FROM ods.Ticket t WHERE t.AgentId = a.AgentId ORDER BY t.TicketId FOR XML PATH('')), 1, 2, ''),
  (SELECT STRING_AGG(CAST(t2.Status AS nvarchar(max)), '; ') WITHIN GROUP (ORDER BY t2.Status, t2.TicketId) FROM ods.Ticket t2 WHERE t2.AgentId = a.AgentId)
 FROM ods.Agent a
GO
CREATE PROCEDURE mart.LoadTicketMetric AS
BEGIN
 TRUNCATE TABLE mart.TicketMetric
 INSERT mart.TicketMetric (TicketId, Metric, Val)
 SELECT TicketId, Metric, Val
 FROM (SELECT TicketId, DATEDIFF(HOUR, OpenedAt, ClosedAt) AS HoursToClose, CAST(Priority AS int) AS Prio, LEN(Tags) - LEN(REPLACE(Tags, ',', '')) + 1 AS TagCount FROM ods.Ticket) p
 UNPIVOT (Val FOR Metric IN (HoursToClose, Prio, TagCount)) u
END
GO
