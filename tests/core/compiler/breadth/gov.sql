CREATE TABLE src.Permit(permit_no varchar(15) not null, applicant nvarchar(100) null, parcel varchar(20) null, issued varchar(10) null, expires varchar(10) null, fee varchar(20) null, status_cd int null, x_coord float null, y_coord float null, inspector nvarchar(60) null)
CREATE TABLE src.StatusCode(status_cd int not null primary key, status_desc varchar(40) null)
CREATE TABLE dbo.permit_fact(permit_no varchar(15) not null primary key, applicant_clean nvarchar(100) null, parcel_norm varchar(20) null, issue_date date null, expire_date date null, days_valid int null, fee_amt money null, status_desc varchar(40) not null, quarter_label char(7) null, fiscal_year smallint null, geo varchar(60) null, inspector_initials nvarchar(10) null, first_seen datetime null, last_seen datetime null, is_expired bit null)
CREATE TABLE dbo.permit_error(permit_no varchar(15) null, err varchar(200) null, err_date datetime null)
CREATE TABLE dbo.dim_date(date_key int not null primary key, full_date date not null, day_name varchar(10) null, month_name varchar(10) null, qtr tinyint null, week_no int null, is_weekend bit null, fiscal_year int null, day_of_year int null, month_end date null, iso_wk int null, label varchar(30) null)
GO
create procedure dbo.load_permit_fact as
begin
	set nocount on;
	declare @today date = getdate();
	select permit_no, ltrim(rtrim(replace(replace(applicant, char(13), ''), char(10), ' '))) as applicant_clean,
		upper(replace(replace(parcel, '-', ''), ' ', '')) as parcel_norm,
		case when isdate(issued) = 1 then convert(date, issued, 101) end as issue_date,
		try_convert(date, expires, 101) as expire_date,
		case when isnumeric(fee) = 1 then cast(fee as money) else null end as fee_amt,
		status_cd, x_coord, y_coord, inspector
	into #p
	from src.Permit
	where isnull(permit_no, '') <> ''

	merge dbo.permit_fact t
	using (
		select p.permit_no, p.applicant_clean, p.parcel_norm, p.issue_date, p.expire_date,
			datediff(day, p.issue_date, p.expire_date) days_valid, p.fee_amt, isnull(sc.status_desc, 'Unknown') status_desc,
			cast(datepart(year, p.issue_date) as char(4)) + '-Q' + cast(datepart(quarter, p.issue_date) as char(1)) quarter_label,
			case when month(p.issue_date) >= 7 then year(p.issue_date) + 1 else year(p.issue_date) end fiscal_year,
			'POINT(' + cast(cast(p.x_coord as decimal(12,6)) as varchar(20)) + ' ' + cast(cast(p.y_coord as decimal(12,6)) as varchar(20)) + ')' geo,
			left(p.inspector, 1) + case when charindex(' ', p.inspector) > 0 then substring(p.inspector, charindex(' ', p.inspector) + 1, 1) else '' end inspector_initials
		from #p p left join src.StatusCode sc on sc.status_cd = p.status_cd
	) s on t.permit_no = s.permit_no
	when matched then update set applicant_clean = s.applicant_clean, parcel_norm = s.parcel_norm, issue_date = s.issue_date, expire_date = s.expire_date, days_valid = s.days_valid,
		fee_amt = s.fee_amt, status_desc = s.status_desc, quarter_label = s.quarter_label, fiscal_year = s.fiscal_year, geo = s.geo, inspector_initials = s.inspector_initials, last_seen = getdate(), is_expired = case when s.expire_date < @today then 1 else 0 end
	when not matched then insert (permit_no, applicant_clean, parcel_norm, issue_date, expire_date, days_valid, fee_amt, status_desc, quarter_label, fiscal_year, geo, inspector_initials, first_seen, last_seen, is_expired)
		values (s.permit_no, s.applicant_clean, s.parcel_norm, s.issue_date, s.expire_date, s.days_valid, s.fee_amt, s.status_desc, s.quarter_label, s.fiscal_year, s.geo, s.inspector_initials, getdate(), getdate(), case when s.expire_date < @today then 1 else 0 end)
	;
	drop table #p
end
go
create procedure dbo.load_dim_date @start date, @years int = 1 as
begin
	set nocount on
	set datefirst 7
	truncate table dbo.dim_date
	declare @d date, @end date
	set @d = @start
	set @end = dateadd(year, @years, @start)
	while @d < @end
	begin
		insert into dbo.dim_date (date_key, full_date, day_name, month_name, qtr, week_no, is_weekend, fiscal_year, day_of_year, month_end, iso_wk, label)
		values (convert(int, convert(varchar(8), @d, 112)), @d, datename(dw, @d), datename(month, @d), datepart(qq, @d), datepart(wk, @d),
			case when datepart(dw, @d) in (1, 7) then 1 else 0 end, year(dateadd(month, 6, @d)), datepart(dy, @d), eomonth(@d), datepart(iso_week, @d), format(@d, 'MMM yyyy'))
		set @d = dateadd(day, 1, @d)
	end
end
go
