USE [RetailDW]
GO
create procedure stg.usp_LoadCustomer_Dedupe
as
begin
    ;with ranked as (
        select *, ROW_NUMBER() over (partition by CustomerName, City order by ModifiedAt desc, CustomerNo) as rn
        from stg.Customer
    )
    delete from ranked where rn > 1;
    /* old logic
    DELETE FROM dbo.FactSales
    WHERE 1 = 0
    */

    with t as (select Segment from stg.Customer where Segment = '')
    update t set Segment = null
    --PRINT 'debug'
end
