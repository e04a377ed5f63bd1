/****** Object:  StoredProcedure etl.WriteLog    Script Date: 3/1/2019 10:21:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE etl.WriteLog
    @name sysname, @rows int = NULL, @message nvarchar(4000) = NULL
AS
INSERT INTO etl.LoadLog (ProcedureName, RowsAffected, Status, Message)
VALUES (@name, @rows, CASE WHEN @rows < 0 THEN 'ERROR' ELSE 'OK' END, @message)
