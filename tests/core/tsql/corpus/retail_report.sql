/****** Object:  StoredProcedure dbo.usp_LoadCustomer_Names    Script Date: 3/3/2019 10:23:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create procedure dbo.usp_LoadCustomer_Names @class varchar(20) = null
as
select e.City,
       names = STUFF((select ', ' + x.CustomerName from stg.Customer x where x.City = e.City order by x.CustomerName for XML PATH('')), 1, 2, ''),
       count(*) cnt,
       'last change' = max(e.ModifiedAt)
from stg.Customer as e
where @class is null or e.Segment like @class + '%'
group by e.City
having count(*) > 1
--PRINT 'debug'
