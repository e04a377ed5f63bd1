CREATE TABLE ad.Impression(imp_id bigint not null, ts datetime not null, campaign_id int null, site varchar(100) null, cost float null, clicks int null)
CREATE TABLE ad.Campaign(campaign_id int not null primary key, campaign_name nvarchar(200) null, budget money null, start_dt date null, end_dt date null, tags nvarchar(400) null)
CREATE TABLE rpt.CampaignPerf(campaign_id int not null, perf_date date not null, impressions int null, clicks int null, ctr decimal(9,6) null, cost money null, cpc money null, pacing float null, domain varchar(100) null, constraint pk_cp primary key(campaign_id, perf_date))
CREATE TABLE rpt.CampaignDim(campaign_key int identity(1,1) not null, campaign_id int not null, campaign_name nvarchar(200) null, orig_name nvarchar(200) null, name_version int not null default 1, budget money null, curr_budget money null, eff_from date not null, eff_to date null, curr_flag char(1) not null, brand nvarchar(50) null, del_flag bit null)
CREATE TABLE rpt.SyncQueue(id int not null, campaign_id int null, processed bit null, processed_at datetime null)
GO
create proc rpt.LoadCampaignPerf @mode varchar(10) = 'INCR', @from date = null
as
set nocount on
if @mode = 'FULL'
begin
	truncate table rpt.CampaignPerf
	set @from = '20000101'
end
else
begin
	if @from is null
		select @from = dateadd(day, -3, isnull(max(perf_date), '20000104')) from rpt.CampaignPerf
	delete from rpt.CampaignPerf where perf_date >= @from
end
insert rpt.CampaignPerf(campaign_id, perf_date, impressions, clicks, ctr, cost, cpc, pacing, domain)
select i.campaign_id, cast(i.ts as date), count(*), sum(i.clicks), sum(i.clicks) * 1.0 / count(*), sum(i.cost), sum(i.cost) / nullif(sum(i.clicks), 0),
	sum(i.cost) / (max(c.budget) / (datediff(day, max(c.start_dt), max(c.end_dt)) + 1)),
	max(case when charindex('.', reverse(i.site)) > 0 then right(i.site, charindex('.', reverse(i.site)) - 1) else i.site end)
from ad.Impression i join ad.Campaign c on c.campaign_id = i.campaign_id
where i.ts >= @from and c.budget > 0 and c.end_dt >= c.start_dt
group by i.campaign_id, cast(i.ts as date)
go
create proc rpt.LoadCampaignDim_SCD6 as
begin
	set nocount on;
	declare @d date = cast(getdate() as date);
	-- type 1 columns everywhere
	update d set d.curr_budget = c.budget, d.brand = left(c.tags, case when charindex(',', c.tags) = 0 then len(c.tags) else charindex(',', c.tags) - 1 end)
	from rpt.CampaignDim d inner join ad.Campaign c on c.campaign_id = d.campaign_id;
	-- close versions whose name changed
	update d set d.eff_to = dateadd(day, -1, @d), d.curr_flag = 'N'
	from rpt.CampaignDim d inner join ad.Campaign c on c.campaign_id = d.campaign_id
	where d.curr_flag = 'Y' and isnull(d.campaign_name, N'') <> isnull(c.campaign_name, N'');
	-- add the new version
	insert into rpt.CampaignDim (campaign_id, campaign_name, orig_name, name_version, budget, curr_budget, eff_from, eff_to, curr_flag, brand, del_flag)
	select c.campaign_id, c.campaign_name,
		isnull((select top 1 o.campaign_name from rpt.CampaignDim o where o.campaign_id = c.campaign_id order by o.name_version), c.campaign_name),
		isnull((select max(o.name_version) from rpt.CampaignDim o where o.campaign_id = c.campaign_id), 0) + 1,
		c.budget, c.budget, @d, null, 'Y', null, 0
	from ad.Campaign c
	where not exists (select 1 from rpt.CampaignDim d where d.campaign_id = c.campaign_id and d.curr_flag = 'Y');
	-- deleted at the source
	update rpt.CampaignDim set del_flag = 1, eff_to = @d where curr_flag = 'Y' and campaign_id not in (select campaign_id from ad.Campaign);
end
go
create proc rpt.DrainSyncQueue as
begin
	declare @ids table (id int primary key, campaign_id int)
	insert into @ids select top (100) id, campaign_id from rpt.SyncQueue where isnull(processed,0) = 0 order by id
	update q set processed = 1, processed_at = getdate() from rpt.SyncQueue q where exists (select 1 from @ids i where i.id = q.id)
end
go
