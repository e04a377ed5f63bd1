"""The DuckDB functions a model may call.

An allow-list: pure functions of their arguments, aggregates and windows. Not on it is whatever
reads files, other queries, settings, sequences, the catalog or the session.
"""

from __future__ import annotations

_NAMES = """
abs acos asin atan atan2 cbrt ceil ceiling cos cosh cot degrees div divide even exp factorial
fdiv floor fmod gcd greatest_common_divisor isfinite isinf isnan lcm least_common_multiple ln
log log10 log2 mod multiply add subtract pi pow power radians round round_even roundbankers sign
sin sinh sqrt tan tanh trunc bit_count xor random uuid gen_random_uuid uuidv4 greatest least
coalesce nullif ifnull if ascii base64 bar bin bit_length char_length character_length chr
concat concat_ws contains decode encode ends_with format format_bytes from_base64 from_hex hash
hex instr jaccard jaro_similarity jaro_winkler_similarity lcase left left_grapheme length len
levenshtein lower lpad ltrim md5 md5_number mismatches nfc_normalize octet_length ord overlay
position prefix printf regexp_escape regexp_extract regexp_extract_all regexp_full_match
regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right rpad rtrim sha1
sha256 split split_part starts_with str_split str_split_regex string_split string_split_regex
string_to_array strip_accents strlen strpos substr substring suffix to_base64 to_hex translate
trim ucase unhex unicode upper url_decode url_encode like_escape ilike_escape not_like_escape
not_ilike_escape soundex age century current_date current_time current_timestamp
current_localtime current_localtimestamp get_current_time date_add date_diff date_part date_sub
date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear
days_in_month decade epoch epoch_ms epoch_ns epoch_us era get_current_timestamp hour isodow
isoyear julian last_day localtime localtimestamp make_date make_time make_timestamp
make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium millisecond minute
month monthname nanosecond now quarter second strftime strptime time_bucket timezone
timezone_hour timezone_minute to_centuries to_days to_decades to_hours to_microseconds
to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks
to_years today transaction_timestamp try_strptime week weekday weekofyear year yearweek
normalized_interval proc2dbt_now any_value approx_count_distinct approx_quantile arbitrary
arg_max arg_max_null arg_min arg_min_null argmax argmin array_agg avg bit_and bit_or bit_xor
bool_and bool_or corr count count_if count_star countif covar_pop covar_samp entropy favg first
fsum group_concat histogram kahan_sum kurtosis last list listagg mad max max_by mean median min
min_by mode product quantile quantile_cont quantile_disc regr_avgx regr_avgy regr_count
regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy sem skewness stddev stddev_pop
stddev_samp string_agg sum sum_no_overflow sumkahan var_pop var_samp variance geomean
geometric_mean grouping grouping_id cume_dist dense_rank fill first_value lag last_value lead
nth_value ntile percent_rank rank rank_dense row_number array_aggregate array_apply array_append
array_cat array_concat array_contains array_distinct array_extract array_filter array_has
array_has_all array_has_any array_indexof array_intersect array_length array_pop_back
array_pop_front array_position array_prepend array_push_back array_push_front array_reduce
array_resize array_reverse array_reverse_sort array_select array_slice array_sort
array_to_string array_transform array_unique array_value array_where array_zip cardinality
element_at flatten generate_series generate_subscripts list_aggr list_aggregate list_any_value
list_append list_apply list_avg list_cat list_concat list_contains list_count list_distinct
list_element list_extract list_filter list_first list_has list_has_all list_has_any list_indexof
list_intersect list_last list_max list_median list_min list_mode list_pack list_position
list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort list_select
list_slice list_sort list_sum list_transform list_unique list_value list_where list_zip map
map_concat map_contains map_entries map_extract map_from_entries map_keys map_values range
reduce row row_to_json struct_concat struct_extract struct_extract_at struct_insert struct_keys
struct_pack struct_update struct_values unnest unpivot_list array_to_json from_json json
json_array json_array_length json_contains json_exists json_extract json_extract_path
json_extract_path_text json_extract_string json_group_array json_group_object json_keys
json_merge_patch json_object json_quote json_structure json_transform json_type json_valid
json_value to_json typeof error alias constant_or_null __between __cast
"""

ALLOWED_FUNCTIONS = frozenset(_NAMES.split())
"""Names in lower case."""

TABLE_FUNCTIONS = frozenset({"unnest", "generate_series", "range", "repeat_row"})
"""Functions that may stand in FROM."""
