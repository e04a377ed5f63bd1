{{ config(materialized='table') }}

with

enrollment as (

    select * from {{ source('sis', 'Enrollment') }}

),

grade_scale as (

    select * from {{ source('dwh', 'GradeScale') }}

),

t as (

    select
        e.StudentNo,
        e.Term,
        cast(sum(e.Credits) as decimal(6, 1)) as Taken,
        cast(sum(case when g.Points > 0 then e.Credits else 0 end) as decimal(6, 1)) as Passed,
        cast(sum(coalesce(g.Points, 0) * e.Credits) as decimal(10, 3)) as Pts,
        sum(e.Tuition) as Due
    from enrollment as e
    left join grade_scale as g on g.Grade = e.Grade
    group by e.StudentNo, e.Term

),

corrected_t as (

    select
        StudentNo,
        Term,
        Taken,
        Passed,
        Pts,
        case when Taken >= 12 and Due > 0 then cast(Due * 0.9 as decimal(19, 4)) else Due end as Due
    from t

),

student_term as (

    select
        StudentNo,
        Term,
        case
            when trim(left(Term, 4) || '-' || right(Term, 2) || '-01') = ''
                then cast('1900-01-01' as date)
            when regexp_full_match(
                left(Term, 4) || '-' || right(Term, 2) || '-01',
                '\s*(\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}|\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}\.\d{1,9}|\d{4}\-\d{1,2}\-\d{1,2}T\d{1,2}:\d{1,2}:\d{1,2}|\d{4}\-\d{1,2}\-\d{1,2}T\d{1,2}:\d{1,2}:\d{1,2}\.\d{1,9}|\d{4}\-\d{1,2}\-\d{1,2} +\d{1,2}:\d{1,2}|\d{8} +\d{1,2}:\d{1,2}:\d{1,2}|\d{4}/\d{1,2}/\d{1,2} +\d{1,2}:\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}:\d{1,2}|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2} +[AaPp][Mm]|\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d{1,2}:\d{1,2} +[AaPp][Mm]|[A-Za-z]{3} +\d{1,2} +\d{4} +\d{1,2}:\d{1,2}[AaPp][Mm]|\d{4}\-\d{1,2}\-\d{1,2}|\d{8}|\d{1,2}/\d{1,2}/\d{4}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}\-\d{1,2}\-\d{4}|\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2}|\d{1,2} +[A-Za-z]{3} +\d{4}|\d{1,2}\-[A-Za-z]{3}\-\d{4}|[A-Za-z]{3} +\d{1,2} +\d{4}|[A-Za-z]{3} +\d{1,2}, +\d{4}|\d{1,2} +[A-Za-z]{3,9} +\d{4}|[A-Za-z]{3,9} +\d{1,2}, +\d{4}|[A-Za-z]{3,9} +\d{1,2} +\d{4})\s*'
            )
                then cast(
                    try_strptime(
                        trim(left(Term, 4) || '-' || right(Term, 2) || '-01'),
                        ['%Y-%m-%d %H:%M:%S', '%Y-%m-%d %H:%M:%S.%n', '%Y-%m-%dT%H:%M:%S', '%Y-%m-%dT%H:%M:%S.%n', '%Y-%m-%d %H:%M', '%Y%m%d %H:%M:%S', '%Y/%m/%d %H:%M:%S', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p', '%b %d %Y %I:%M%p', '%Y-%m-%d', '%Y%m%d', '%m/%d/%Y', '%Y/%m/%d', '%m-%d-%Y', '%m.%d.%Y', '%Y.%m.%d', '%d %b %Y', '%d-%b-%Y', '%b %d %Y', '%b %d, %Y', '%d %B %Y', '%B %d, %Y', '%B %d %Y']
                    )
                    as date
                )
            when regexp_matches(
                left(Term, 4) || '-' || right(Term, 2) || '-01',
                '(?i)\d\s*[-/.]\s*\d+\s*[-/.]\s*\d|\d:\d|\d\s*[ap]m\b|^\s*(\d{4}|\d{6}|\d{8})\s*$|\d.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d'
            )
                then error('Conversion failed: a date in a spelling that is not supported')
        end as TermDate,
        Taken as CreditsTaken,
        Passed as CreditsPassed,
        cast(
            cast(Pts * 100000000000 as int128) // cast(nullif(Taken, 0) * 10 as int128)
            * 0.0000000001
            as decimal(4, 3)
        ) as Gpa,
        cast(
            cast(
                sum(Pts) over (partition by StudentNo order by Term collate nocase nulls first)
                * 1000
                as int128
            )
            * 10000
            // cast(
                nullif(
                    sum(Taken) over (
                        partition by StudentNo
                        order by Term collate nocase nulls first
                    ),
                    0
                )
                * 10
                as int128
            )
            * 0.000001
            as decimal(4, 3)
        ) as CumGpa,
        Due as TuitionDue,
        case
            when Taken = 0 then null
            when cast(Pts * 100000000000 as int128) // cast(nullif(Taken, 0) * 10 as int128)
            * 0.0000000001
            >= 3.5
                then 'Honors'
            when cast(Pts * 100000000000 as int128) // cast(nullif(Taken, 0) * 10 as int128)
            * 0.0000000001
            < 2
                then 'Probation'
            else 'Good'
        end as Standing,
        cast(null as text) as PrevStanding
    from corrected_t

),

updated_student_term as (

    select
        s.StudentNo,
        s.Term,
        s.TermDate,
        s.CreditsTaken,
        s.CreditsPassed,
        s.Gpa,
        s.CumGpa,
        s.TuitionDue,
        s.Standing,
        p.Standing as PrevStanding
    from student_term as s
    cross join lateral (
        select x.Standing
        from student_term as x
        where x.StudentNo = s.StudentNo
            and x.Term collate nocase < s.Term
        order by x.Term collate nocase desc
        limit 1
    ) as p

),

unchanged_student_term as (

    select *
    from student_term as s
    where not exists (
        select 1
        from (
            select x.Standing
            from student_term as x
            where x.StudentNo = s.StudentNo
                and x.Term collate nocase < s.Term
            order by x.Term collate nocase desc
            limit 1
        ) as p
    )

),

final as (

    select
        StudentNo,
        Term,
        TermDate,
        CreditsTaken,
        CreditsPassed,
        Gpa,
        CumGpa,
        cast(TuitionDue as decimal(19, 4)) as TuitionDue,
        Standing,
        PrevStanding
    from updated_student_term

    union all

    select
        StudentNo,
        Term,
        TermDate,
        CreditsTaken,
        CreditsPassed,
        Gpa,
        CumGpa,
        cast(TuitionDue as decimal(19, 4)) as TuitionDue,
        Standing,
        PrevStanding
    from unchanged_student_term

)

select * from final
