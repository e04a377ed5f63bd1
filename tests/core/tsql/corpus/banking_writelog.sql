/****** Object:  StoredProcedure ctl.WriteLog    Script Date: 3/7/2019 10:27:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
CREATE PROCEDURE ctl.WriteLog
    @name sysname, @rows int = NULL, @message nvarchar(4000) = NULL
AS
INSERT INTO ctl.BATCH_LOG (BATCH_NAME, ROWS_OUT, STATE, INFO)
VALUES (@name, @rows, CASE WHEN @rows < 0 THEN 'ERROR' ELSE 'OK' END, @message);
