CREATE PROCEDURE admin.cleanup;1
AS
    DELETE admin.AuditLog WHERE started_at < DATEADD(mm, -6, GETDATE())
GO
CREATE PROCEDURE admin.cleanup;2 @months int
AS
    DELETE FROM admin.AuditLog WHERE DATEDIFF(mm, started_at, GETDATE()) > @months
    IF @@ERROR <> 0 RETURN 1
    RETURN 0
GO
