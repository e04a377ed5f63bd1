Create Or ALTER PROCEDURE hr.HR_LoadJobGrades_Merge
    @delete_missing Bit = 0
as
Begin
    DECLARE @changes Table (act nvarchar(10), code varchar(20));
    declare @ins int, @upd INT;

    ;WITH codes AS (
        Select distinct UPPER(LTRIM(RTRIM(JobGrade))) as code
        From hrstg.Employee
        WHERE JobGrade IS NOT null AND LEN(JobGrade) > 0
    )
    MERGE INTO hr.JobGrades WITH (HOLDLOCK) As t
    USING codes As c ON t.GradeCode = c.code
    WHEN NOT MATCHED then INSERT (GradeCode, GradeTitle) VALUES (c.code, c.code + ' (new)')
    when MATCHED AND t.GradeTitle IS NULL THEN UPDATE set GradeTitle = c.code
    OUTPUT $action, isnull(inserted.GradeCode, deleted.GradeCode) INTO @changes (act, code);

    select @ins = SUM(CASE WHEN act = 'INSERT' THEN 1 ELSE 0 END),
           @upd = SUM(CASE WHEN act = 'UPDATE' THEN 1 Else 0 END)
    from @changes;
    /* nested /* comment */ stays out */

    If @delete_missing = 1
        DELETE r
        From hr.JobGrades r
        left JOIN hrstg.Employee s ON s.JobGrade = r.GradeCode
        Where s.EmployeeNumber is NULL;

    INSERT INTO hrlog.RunLog (RunName, RunRows, RunState, RunMessage)
    values ('HR_LoadJobGrades_Merge', ISNULL(@ins, 0) + ISNULL(@upd, 0), 'OK', CONCAT('ins=', @ins, ' upd=', @upd));
END
GO
