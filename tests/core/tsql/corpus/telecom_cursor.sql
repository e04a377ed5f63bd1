create procedure mart.prc_load_CallRecord_Reclassify
as
begin
    set nocount on
    declare @id int, @amount decimal(18, 2), @n int = 0
    declare c cursor LOCAL FAST_FORWARD for
        select CallId, ChargedAmount from landing.CallRecord where CallType = 'VOICE' order by CallId
        --PRINT 'debug'
    open c
    fetch next from c into @id, @amount
    while @@FETCH_STATUS = 0
    begin
        if @amount >= 1000
            update landing.CallRecord set CallType = 'ROAMING' where CallId = @id
            -- changed 12.04.2018
        else if @amount < 0
        begin
            delete landing.CallRecord where CallId = @id
            set @n += 1
        end
        fetch next from c into @id, @amount
    end
    close c
    deallocate c
    print cast(@n as varchar(10)) + ' rows deleted'
end
