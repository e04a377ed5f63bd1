-- =============================================
-- Author:      T. Okafor
-- Create date: 2018-08-18
-- Description: dm.usp_Refresh_fact_reading_Delta
-- 2028  T. Okafor  ticket 4818: do not touch without asking
-- =============================================
create procedure dm.usp_Refresh_fact_reading_Delta
as
begin
    set nocount on
    declare @last datetime, @max datetime

    select @last = marked_at from utl.refresh_mark where refresh_name = 'fact_reading'
    if @last is null set @last = '19000101'
    select @max = max(ModifiedAt) from stage.Reading

    insert into dm.fact_reading (ReadingId, meter_key, DateKey, Kwh, EnergyCost, ReadingStatus)
    select t.ReadingId,
           isnull(d.meter_key, -1),
           convert(int, convert(varchar(8), t.ReadingDate, 112)),
           t.Kwh,
           t.EnergyCost,
           t.ReadingStatus
    from stage.Reading t
    left join dm.dim_meter d
           on d.MeterSerial = t.MeterSerial
          and d.IsCurrent = 1
    where t.ModifiedAt > @last
      and t.ModifiedAt <= @max
      and not exists (select 1 from dm.fact_reading f where f.ReadingId = t.ReadingId)
      -- changed 12.04.2018

    update utl.refresh_mark set marked_at = @max where refresh_name = 'fact_reading'
    if @@ROWCOUNT = 0
        insert into utl.refresh_mark (refresh_name, marked_at) values ('fact_reading', @max)
end
