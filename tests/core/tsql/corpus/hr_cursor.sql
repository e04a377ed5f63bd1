create procedure hr.HR_LoadAbsence_Reclassify
as
begin
    set nocount on
    declare @id int, @amount decimal(18, 2), @n int = 0
    declare c cursor LOCAL FAST_FORWARD for
        select AbsenceId, CostAmount from hrstg.Absence where AbsenceStatus = 'REQUESTED' order by AbsenceId
    open c
    fetch next from c into @id, @amount
    -- TODO: check with business
    while @@FETCH_STATUS = 0
    begin
        if @amount >= 1000
            update hrstg.Absence set AbsenceStatus = 'APPROVED' where AbsenceId = @id
        else if @amount < 0
        begin
            delete hrstg.Absence where AbsenceId = @id
            set @n += 1
        end
        fetch next from c into @id, @amount
    end
    close c
    deallocate c
    print cast(@n as varchar(10)) + ' rows deleted'
end
