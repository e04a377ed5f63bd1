/* mart.prc_load_dim_subscriber_Full  (lpark) */
create procedure mart.prc_load_dim_subscriber_Full
as
begin
    set nocount on
    truncate table mart.dim_subscriber
    insert into mart.dim_subscriber (Msisdn, SubscriberName, TariffPlan, Region, MonthlyFee)
    select s.Msisdn,
           LTRIM(RTRIM(s.SubscriberName)),
           isnull(s.TariffPlan, 'UNK'),
           COALESCE(NULLIF(s.Region, ''), 'n/a'),
           s.MonthlyFee
    from landing.Subscriber as s
    where s.Msisdn is not null
end
GO
