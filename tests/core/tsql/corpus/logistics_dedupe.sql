create procedure raw.Load_Carrier_Dedupe
as
begin
    ;with ranked as (
        select *, ROW_NUMBER() over (partition by CarrierName, HomeDepot order by ModifiedAt desc, CarrierCode) as rn
        from raw.Carrier
    )
    delete from ranked where rn > 1;
    -- TODO: check with business

    with t as (select ServiceLevel from raw.Carrier where ServiceLevel = '')
    update t set ServiceLevel = null
end
