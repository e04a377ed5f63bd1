/****** Object:  StoredProcedure meta.WriteLog    Script Date: 3/8/2019 10:28:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE meta.WriteLog
    @name sysname, @rows int = NULL, @message nvarchar(4000) = NULL
AS
INSERT INTO meta.ProcessLog (Process, RowCnt, Result, Detail)
VALUES (@name, @rows, CASE WHEN @rows < 0 THEN 'ERROR' ELSE 'OK' END, @message)
