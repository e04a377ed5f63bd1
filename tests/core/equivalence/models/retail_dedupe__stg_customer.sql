{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        merge_clauses={
            'when_not_matched': [
                {'action': 'insert', 'mode': 'by_name'},
                {'by': 'source', 'action': 'delete'},
            ],
        },
    )
}}

with

existing_customer as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as CustomerNo,
        cast(null as varchar) as CustomerName,
        cast(null as varchar) as Segment,
        cast(null as varchar) as City,
        cast(null as decimal(18, 2)) as CreditLimit,
        cast(null as timestamp) as ModifiedAt
    where false

    {% endif %}

),

numbered_customer as (

    select
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ModifiedAt,
        row_number() over (partition by CustomerName, City order by ModifiedAt desc, CustomerNo) as rn
    from existing_customer

),

kept_customer as (

    select
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ModifiedAt
    from numbered_customer
    where rn <= 1

),

-- old logic
-- DELETE FROM dbo.FactSales
-- WHERE 1 = 0
numbered_kept_customer as (

    select
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ModifiedAt
    from kept_customer
    where Segment = ''

),

corrected_kept_customer as (

    select
        CustomerNo,
        CustomerName,
        null as Segment,
        City,
        CreditLimit,
        ModifiedAt
    from numbered_kept_customer

),

unchanged_kept_customer as (

    select *
    from kept_customer
    where (Segment = '') is not true

),

final as (

    select
        CustomerNo,
        CustomerName,
        cast(Segment as text) as Segment,
        City,
        CreditLimit,
        ModifiedAt
    from corrected_kept_customer

    union all

    select
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ModifiedAt
    from unchanged_kept_customer

)

select * from final
