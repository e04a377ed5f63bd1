create procedure core.p_PRODUCT_REF_Refresh @force char(1) = 'N'
as
declare @err int, @cnt int

select @cnt = count(*) from lnd.Account where ProductCode is not null
if @cnt = 0 and @force <> 'Y' goto nothing_to_do

begin transaction

update core.PRODUCT_REF
set PRODUCT_TEXT = 'Product ' + PRODUCT_CODE
where PRODUCT_TEXT is null or PRODUCT_TEXT = ''
select @err = @@error
if @err <> 0 goto error_exit

insert core.PRODUCT_REF (PRODUCT_CODE, PRODUCT_TEXT)
select distinct a.ProductCode, null
from lnd.Account a
left join core.PRODUCT_REF r on r.PRODUCT_CODE = a.ProductCode
where r.PRODUCT_CODE is null and a.ProductCode is not null
if @@error != 0 goto error_exit

commit transaction
return 0

nothing_to_do:
print 'no accounts delivered'
return 1

error_exit:
if @@trancount > 0 rollback transaction
raiserror('refresh of PRODUCT_REF failed (%d)', 16, 1, @err)
return -1
