CREATE TABLE app.Account(account_id uniqueidentifier NOT NULL, name nvarchar(200) NULL, plan_id int NULL, parent_id uniqueidentifier NULL, created_utc datetime2(7) NULL, deleted bit NULL, mrr decimal(12,2) NULL)
CREATE TABLE app.Event(event_id bigint NOT NULL, account_id uniqueidentifier NULL, event_type varchar(40) NULL, occurred_utc datetime2(7) NULL, props nvarchar(max) NULL)
CREATE TABLE bi.AccountDaily(snapshot_date date NOT NULL, account_id uniqueidentifier NOT NULL, plan_name varchar(20) NULL, events int NULL, active_days int NULL, mrr decimal(12,2) NULL, mrr_delta decimal(12,2) NULL, status varchar(12) NULL)
CREATE TABLE bi.Session(account_id uniqueidentifier NOT NULL, session_no int NOT NULL, started datetime2(7) NULL, ended datetime2(7) NULL, events int NULL, duration_s int NULL)
CREATE TABLE bi.Funnel(cohort_month date NOT NULL, step varchar(20) NOT NULL, accounts int NULL, conv decimal(7,4) NULL)
CREATE TABLE bi.Settings(name varchar(40) NOT NULL PRIMARY KEY, val varchar(100) NULL)
GO
CREATE OR ALTER PROCEDURE bi.snapshot_account_daily @date date = NULL, @force bit = 0
AS
BEGIN
  SET NOCOUNT ON;
  IF @date IS NULL SET @date = DATEADD(day, -1, CAST(SYSUTCDATETIME() AS date));
  IF @force = 1
    DELETE FROM bi.AccountDaily WHERE snapshot_date = @date;
  IF EXISTS (SELECT 1 FROM bi.AccountDaily WHERE snapshot_date = @date)
  BEGIN
    PRINT 'already there';
    RETURN;
  END;
  WITH ev AS (
    SELECT account_id, COUNT(*) AS events, COUNT(DISTINCT CAST(occurred_utc AS date)) AS active_days
    FROM app.Event
    WHERE occurred_utc >= DATEADD(day, -30, @date) AND occurred_utc < DATEADD(day, 1, @date)
    GROUP BY account_id
  )
  INSERT INTO bi.AccountDaily (snapshot_date, account_id, plan_name, events, active_days, mrr, mrr_delta, status)
  SELECT @date, a.account_id, CHOOSE(a.plan_id, 'free', 'team', 'business', 'enterprise'), ISNULL(ev.events, 0), ISNULL(ev.active_days, 0), a.mrr,
    a.mrr - ISNULL((SELECT TOP 1 p.mrr FROM bi.AccountDaily p WHERE p.account_id = a.account_id AND p.snapshot_date < @date ORDER BY p.snapshot_date DESC), 0),
    CASE WHEN a.deleted = 1 THEN 'churned' WHEN ev.events IS NULL THEN 'dormant' WHEN ev.active_days >= 10 THEN 'power' ELSE 'active' END
  FROM app.Account a LEFT JOIN ev ON ev.account_id = a.account_id
  WHERE CAST(a.created_utc AS date) <= @date;
END
GO
CREATE OR ALTER PROCEDURE bi.sessionize AS
BEGIN
  SET NOCOUNT ON;
  DECLARE @gap int = (SELECT CAST(val AS int) FROM bi.Settings WHERE name = 'session_gap_min');
  SET @gap = ISNULL(@gap, 30);
  TRUNCATE TABLE bi.Session;
  WITH e AS (
    SELECT account_id, occurred_utc, event_id, LAG(occurred_utc) OVER (PARTITION BY account_id ORDER BY occurred_utc, event_id) AS prev
    FROM app.Event WHERE account_id IS NOT NULL
  ), f AS (
    SELECT *, CASE WHEN prev IS NULL OR DATEDIFF(minute, prev, occurred_utc) > @gap THEN 1 ELSE 0 END AS is_new FROM e
  ), g AS (
    SELECT *, SUM(is_new) OVER (PARTITION BY account_id ORDER BY occurred_utc, event_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session_no FROM f
  )
  INSERT INTO bi.Session (account_id, session_no, started, ended, events, duration_s)
  SELECT account_id, session_no, MIN(occurred_utc), MAX(occurred_utc), COUNT(*), DATEDIFF(second, MIN(occurred_utc), MAX(occurred_utc))
  FROM g GROUP BY account_id, session_no;
END
GO
CREATE OR ALTER PROCEDURE bi.load_funnel AS
BEGIN
  DELETE FROM bi.Funnel;
  WITH c AS (
    SELECT a.account_id, DATEADD(month, DATEDIFF(month, 0, a.created_utc), 0) AS cohort_month,
      MAX(CASE WHEN e.event_type = 'signup' THEN 1 ELSE 0 END) AS signup, MAX(IIF(e.event_type = 'invite', 1, 0)) AS invite, MAX(IIF(e.event_type LIKE 'pay%', 1, 0)) AS paid
    FROM app.Account a LEFT JOIN app.Event e ON e.account_id = a.account_id
    WHERE a.created_utc IS NOT NULL
    GROUP BY a.account_id, DATEADD(month, DATEDIFF(month, 0, a.created_utc), 0)
  )
  INSERT INTO bi.Funnel (cohort_month, step, accounts, conv)
  SELECT c.cohort_month, v.step, SUM(v.hit), CAST(SUM(v.hit) AS decimal(12,4)) / COUNT(*)
  FROM c CROSS APPLY (VALUES ('signup', c.signup), ('invite', c.invite), ('paid', c.paid)) v(step, hit)
  GROUP BY c.cohort_month, v.step
  ORDER BY c.cohort_month;
END
GO
