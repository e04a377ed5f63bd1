create procedure dm.usp_Refresh_Reading_StatusMatrix
as
begin
    select p.GridZone, isnull(p.[ESTIMATED], 0) as [ESTIMATED], isnull(p.[ACTUAL], 0) as [ACTUAL]
    from (
        select e.GridZone, t.ReadingStatus, t.EnergyCost
        from stage.Reading t inner join stage.Meter e on e.MeterSerial = t.MeterSerial
    ) as src
    PIVOT (sum(EnergyCost) for ReadingStatus in ([ESTIMATED], [ACTUAL])) as p
    order by p.GridZone
    -- changed 12.04.2018
end
