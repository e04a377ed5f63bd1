-- =============================================
-- Author:      -
-- Create date: 2015-05-15
-- Description: [edw].[Load_DimCarrier_History]
-- 2025  -  ticket 4515: do not touch without asking
-- =============================================
create procedure [edw].[Load_DimCarrier_History]
as
begin
    set nocount on
    declare @now datetime = getdate()

    -- close the versions that changed
    update d
    set d.ValidTo = @now,
        d.IsCurrent = 0
    from edw.DimCarrier d
    inner join LogiDW.raw.Carrier s on s.CarrierCode = d.CarrierCode
    where d.IsCurrent = 1
      and (d.ServiceLevel <> s.ServiceLevel or d.HomeDepot <> s.HomeDepot or isnull(d.MaxWeight, -1) <> isnull(s.MaxWeight, -1))

    -- new versions and new keys
    insert into edw.DimCarrier (CarrierCode, CarrierName, ServiceLevel, HomeDepot, MaxWeight, ValidFrom, ValidTo, IsCurrent)
    select s.CarrierCode, s.CarrierName, s.ServiceLevel, s.HomeDepot, s.MaxWeight, @now, null, 1
    from LogiDW.raw.Carrier s
    left outer join edw.DimCarrier d on d.CarrierCode = s.CarrierCode and d.IsCurrent = 1
    where d.CarrierID is null
    --PRINT 'debug'
end
