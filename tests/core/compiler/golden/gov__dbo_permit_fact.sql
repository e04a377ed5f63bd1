{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='permit_no',
        merge_exclude_columns=['first_seen'],
    )
}}

with

permit as (

    select * from {{ source('src', 'Permit') }}

),

status_code as (

    select * from {{ source('src', 'StatusCode') }}

),

p as (

    select
        permit_no,
        ltrim(rtrim(replace(replace(applicant, chr(13), ''), chr(10), ' '))) as applicant_clean,
        upper(replace(replace(parcel, '-', ''), ' ', '')) as parcel_norm,
        case
            when case
                when trim(issued) = '' then 0
                when case when trim(issued) = '' then cast('1900-01-01' as timestamp) when regexp_full_match(issued, '\s*(\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}|\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}\.\d{1,9}|\d{4}\-\d{1,2}\-\d{1,2}T\d{1,2}:\d{1,2}:\d{1,2}|\d{4}\-\d{1,2}\-\d{1,2}T\d{1,2}:\d{1,2}:\d{1,2}\.\d{1,9}|\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}|\d{8} +\d{1,2}:\d{1,2}:\d{1,2}|\d{4}/\d{1,2}/\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2} +[AaPp][Mm]|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}:\d{1,2} +[AaPp][Mm]|[A-Za-z]{3} +\d{1,2} +\d{4} +\d{1,2}:\d{1,2}[AaPp][Mm]|\d{4}\-\d{1,2}\-\d{1,2}|\d{8}|\d{1,2}/\d{1,2}/\d{4}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}\-\d{1,2}\-\d{4}|\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2}|\d{1,2} +[A-Za-z]{3} +\d{4}|\d{1,2}\-[A-Za-z]{3}\-\d{4}|[A-Za-z]{3} +\d{1,2} +\d{4}|[A-Za-z]{3} +\d{1,2}, +\d{4}|\d{1,2} +[A-Za-z]{3,9} +\d{4}|[A-Za-z]{3,9} +\d{1,2}, +\d{4}|[A-Za-z]{3,9} +\d{1,2} +\d{4})\s*') then try_strptime(trim(issued), ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%n', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M:%S.%n', '%Y-%m-%d %H:%M', '%Y%m%d %H:%M:%S', '%Y/%m/%d %H:%M:%S', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p', '%b %d %Y %I:%M%p', '%Y-%m-%d', '%Y%m%d', '%m/%d/%Y', '%Y/%m/%d', '%m-%d-%Y', '%m.%d.%Y', '%Y.%m.%d', '%d %b %Y', '%d-%b-%Y', '%b %d %Y', '%b %d, %Y', '%d %B %Y', '%B %d, %Y', '%B %d %Y']) when regexp_matches(issued, '(?i)\d\s*[-/.]\s*\d+\s*[-/.]\s*\d|\d:\d|\d\s*[ap]m\b|^\s*(\d{4}|\d{6}|\d{8})\s*$|\d.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d') then error('Conversion failed: a date in a spelling that is not supported') end is not null
                    then 1
                else 0
            end
            = 1
                then case
                    when trim(issued) = '' then cast('1900-01-01' as date)
                    when regexp_matches(issued, '(^|\D)\d{4}(\D|$)|^\s*\d{8}(\D|$)')
                        then cast(strptime(trim(issued), ['%m/%d/%Y', '%m-%d-%Y', '%m.%d.%Y']) as date)
                    when issued is not null then error('Conversion failed')
                end
        end as issue_date,
        case
            when trim(expires) = '' then cast('1900-01-01' as date)
            when regexp_full_match(
                expires,
                '\s*(\d{1,2}/\d{1,2}/\d{4}|\d{1,2}\-\d{1,2}\-\d{4}|\d{1,2}\.\d{1,2}\.\d{4})\s*'
            )
                then cast(try_strptime(trim(expires), ['%m/%d/%Y', '%m-%d-%Y', '%m.%d.%Y']) as date)
            when regexp_matches(
                expires,
                '(?i)\d\s*[-/.]\s*\d+\s*[-/.]\s*\d|\d:\d|\d\s*[ap]m\b|^\s*(\d{4}|\d{6}|\d{8})\s*$|\d.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d'
            )
                then error('Conversion failed: a date in a spelling that is not supported')
        end as expire_date,
        case
            when case
                when regexp_full_match(
                    fee,
                    '\s*[+-]?\s*[$]?\s*(\d[\d,]*\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]\s*|\s*[$.,]\s*'
                )
                    then 1
                else 0
            end
            = 1
                then case
                    when trim(regexp_replace(fee, '[$,]', '', 'g')) = '' then 0
                    when regexp_full_match(
                        regexp_replace(fee, '[$,]', '', 'g'),
                        '\s*[+-]?(\d+\.?\d*|\.\d+)\s*'
                    )
                        then cast(regexp_replace(fee, '[$,]', '', 'g') as decimal(19, 4))
                    when regexp_replace(fee, '[$,]', '', 'g') is not null
                        then error('Conversion failed')
                end
            else null
        end as fee_amt,
        status_cd,
        x_coord,
        y_coord,
        inspector
    from permit
    where coalesce(permit_no, '') <> ''

),

prepared_p as (

    select
        p.permit_no,
        p.applicant_clean,
        p.parcel_norm,
        p.issue_date,
        p.expire_date,
        date_diff('day', p.issue_date, p.expire_date) as days_valid,
        p.fee_amt,
        coalesce(sc.status_desc, 'Unknown') as status_desc,
        rpad(cast(year(p.issue_date) as text), 4, ' ') || '-Q'
        || rpad(cast(quarter(p.issue_date) as text), 1, ' ') as quarter_label,
        case when month(p.issue_date) >= 7 then year(p.issue_date) + 1 else year(p.issue_date) end as fiscal_year,
        'POINT(' || cast(cast(p.x_coord as decimal(12, 6)) as text) || ' '
        || cast(cast(p.y_coord as decimal(12, 6)) as text)
        || ')' as geo,
        left(p.inspector, 1)
        || case
            when strpos(p.inspector, ' ') > 0
                then substr(p.inspector, strpos(p.inspector, ' ') + 1, 1)
            else ''
        end as inspector_initials
    from p
    left join status_code as sc on sc.status_cd = p.status_cd

),

merged_permit_fact as (

    select
        permit_no,
        applicant_clean,
        parcel_norm,
        issue_date,
        expire_date,
        days_valid,
        fee_amt,
        status_desc,
        quarter_label,
        fiscal_year,
        geo,
        inspector_initials,
        cast({{ current_timestamp() }} as timestamp) as first_seen,
        cast({{ current_timestamp() }} as timestamp) as last_seen,
        case
            when expire_date < cast(cast({{ current_timestamp() }} as timestamp) as date) then 1
            else 0
        end as is_expired
    from prepared_p

),

final as (

    select
        permit_no,
        applicant_clean,
        parcel_norm,
        issue_date,
        expire_date,
        cast(days_valid as int) as days_valid,
        fee_amt,
        status_desc,
        quarter_label,
        cast(fiscal_year as smallint) as fiscal_year,
        geo,
        inspector_initials,
        first_seen,
        last_seen,
        cast(is_expired <> 0 as utinyint) as is_expired
    from merged_permit_fact

)

select * from final
