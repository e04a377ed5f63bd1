/****** Object:  StoredProcedure edw.Load_Carrier_Names    Script Date: 3/1/2019 10:21:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
create procedure edw.Load_Carrier_Names @class varchar(20) = null
as
select e.HomeDepot,
       names = STUFF((select ', ' + x.CarrierName from raw.Carrier x where x.HomeDepot = e.HomeDepot order by x.CarrierName for XML PATH('')), 1, 2, ''),
       count(*) cnt,
       'last change' = max(e.ModifiedAt)
from raw.Carrier as e
where @class is null or e.ServiceLevel like @class + '%'
group by e.HomeDepot
having count(*) > 1
--SELECT TOP 100 * FROM raw.Carrier
