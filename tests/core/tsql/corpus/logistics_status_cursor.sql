CREATE procedure edw.Load_FactShipment_Status
as
begin
declare @no int, @status varchar(20), @days int
declare c cursor for
  select ShipmentNo, ShipStatus, datediff(day, PickupDate, getdate()) from raw.Shipment
open c
fetch next from c into @no, @status, @days
while (@@FETCH_STATUS <> -1)
begin
  if (@@FETCH_STATUS <> -2)
  begin
    if @status is null
    begin
      fetch next from c into @no, @status, @days
      continue
    end
    if @status = 'INTRANSIT' and @days > 30
      set @status = 'LOST'
    update edw.FactShipment set ShipStatus = @status where ShipmentNo = @no and isnull(ShipStatus, '') <> @status
  end
  fetch next from c into @no, @status, @days
end
close c
deallocate c
end
