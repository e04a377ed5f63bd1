{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

numbered_posting as (

    select
        PostingId,
        row_number() over (order by PostingId) as row_place
    from posting
    where BookingDate < cast('{{ var('p_posting_archive_before') }}' as timestamp)

),

first_posting as (

    select PostingId
    from numbered_posting
    where row_place
    <= case
        when cast(1000000 as bigint)
        // nullif(cast({{ var('p_posting_archive_batchsize', 5000) }} as bigint), 0)
        + 1
        > 1
            then cast(1000000 as bigint)
            // nullif(cast({{ var('p_posting_archive_batchsize', 5000) }} as bigint), 0)
            + 1
        else 1
    end
    * cast({{ var('p_posting_archive_batchsize', 5000) }} as bigint)

),

deleted_posting as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        ModifiedAt
    from posting
    where BookingDate < cast('{{ var('p_posting_archive_before') }}' as timestamp)
        and PostingId in (select PostingId from first_posting)

),

output_rows as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType
    from deleted_posting

),

final as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        cast({{ current_timestamp() }} as timestamp) as ArchivedAt
    from output_rows

)

select * from final
