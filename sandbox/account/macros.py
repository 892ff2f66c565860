"""DuckDB macros for what Snowflake does otherwise than DuckDB. `rewrites` puts calls of them into a query."""

from __future__ import annotations

_STAMP = "%Y-%m-%d %H:%M:%S.%g"  # TIMESTAMP_OUTPUT_FORMAT: milliseconds
_WORDS = "'true','t','yes','y','on','1'", "'false','f','no','n','off','0'"

MACROS = (
    # A value as text: https://docs.snowflake.com/en/sql-reference/data-type-conversion
    f"""sf_text(x) as case
        when typeof(x) = 'TIMESTAMP' then strftime(try_cast(x as timestamp), '{_STAMP}')
        when typeof(x) = 'TIMESTAMP WITH TIME ZONE' then strftime(try_cast(x as timestamptz)::timestamp, '{_STAMP} +0000')
        when typeof(x) in ('DOUBLE', 'FLOAT') then case
            when try_cast(x as double) = trunc(try_cast(x as double)) and abs(try_cast(x as double)) < 1e15
            then cast(try_cast(try_cast(x as double) as bigint) as varchar) else cast(x as varchar) end
        when typeof(x) = 'JSON' then json_extract_string(try_cast(cast(x as varchar) as json), '$')
        else cast(x as varchar) end""",
    """sf_fit(x, n) as case when length(x) <= n or x is null then x
        else error('String ''' || x || ''' is too long and would be truncated') end""",
    f"""sf_boolean(x) as case
        when x is null then null
        when typeof(x) = 'VARCHAR' then case
            when lower(trim(cast(x as varchar))) in ({_WORDS[0]}) then true
            when lower(trim(cast(x as varchar))) in ({_WORDS[1]}) then false
            else error('Boolean value ''' || cast(x as varchar) || ''' is not recognized') end
        else cast(x as double) <> 0 end""",
    # TIMESTAMP_NTZ keeps the clock on the wall and forgets the zone; DuckDB wants a colon in +02:00.
    "sf_wall(x) as regexp_replace(x, '(:[0-9]{2}(?:[.][0-9]+)?) ?(?:Z|[+-][0-9]{2}:?[0-9]{2})$', '\\1')",
    "sf_zoned(x) as regexp_replace(x, ' ?([+-][0-9]{2}):?([0-9]{2})$', '\\1:\\2')",
    f"""sf_try_boolean(x) as case
        when lower(trim(x)) in ({_WORDS[0]}) then true when lower(trim(x)) in ({_WORDS[1]}) then false end""",
    # What was taken for a number of so many digits after the point must be one: nothing is rounded in silence.
    """sf_exact(x, s) as case
        when typeof(x) in ('DOUBLE', 'FLOAT') then error('a number whose scale is not known')
        when cast(coalesce(nullif(regexp_extract(typeof(x), ',([0-9]+)', 1), ''), '0') as integer) > s
        then error('a number whose scale is not known') else x end""",
    # Exact division, rounded half away from zero: numerator and denominator as whole numbers of 10^-sa and 10^-sb.
    """sf_quotient(n, d) as (case when (n < 0) <> (d < 0) then -1 else 1 end)::hugeint
        * ((2::hugeint * abs(n) + abs(d)) // (2::hugeint * abs(d)))""",
    """sf_divide(a, b, sa, sb, s) as case
        when a is null or b is null then null
        when b = 0 then error('Division by zero')
        else sf_quotient(cast(a * sa as hugeint) * cast(s as hugeint) * cast(sb as hugeint),
            cast(b * sb as hugeint) * cast(sa as hugeint)) end""",
    """sf_divide_real(a, b) as case
        when b = 0 and a is not null then error('Division by zero') else cast(a as double) / cast(b as double) end""",
    "sf_mod(a, b) as case when b = 0 and a is not null then error('Division by zero') else a % b end",
    "sf_real(x) as case when isfinite(x) then x when x is null then null else error('Invalid floating point operation') end",
    # Semi-structured values are JSON.
    """sf_json(x) as case when json_valid(x) then cast(x as json) when trim(x) = '' or x is null then null
        else error('Error parsing JSON') end""",
    "sf_try_json(x) as case when json_valid(x) then cast(x as json) end",
    "sf_member(v, k) as json_extract(v, '$.\"' || k || '\"')",
    "sf_element(v, i) as case when i >= 0 then json_extract(v, '$[' || greatest(i, 0) || ']') end",
    """sf_typeof(v) as case json_type(v)
        when 'OBJECT' then 'OBJECT' when 'ARRAY' then 'ARRAY' when 'VARCHAR' then 'VARCHAR' when 'BOOLEAN' then 'BOOLEAN'
        when 'NULL' then 'NULL_VALUE' when 'DOUBLE' then 'DECIMAL' when 'UBIGINT' then 'INTEGER'
        when 'BIGINT' then 'INTEGER' end""",
    "sf_array_size(v) as case when json_type(v) = 'ARRAY' then json_array_length(v) end",
    # A NULL within is an empty text: https://docs.snowflake.com/en/sql-reference/functions/array_to_string
    """sf_array_text(v, s) as
        array_to_string(list_transform(json_extract_string(v, '$[*]'), lambda x: coalesce(x, '')), s)""",
    """sf_object(keys, members) as coalesce(cast(to_json(map_from_entries(list_filter(
        list_transform(list_zip(keys, members), lambda p: {'k': p[1], 'v': p[2]}),
        lambda e: e.k is not null and e.v is not null))) as json), json_object())""",
    # Pairs of which one is NULL are left out: https://docs.snowflake.com/en/sql-reference/functions/object_agg
    """sf_object_agg(k, v) as coalesce(cast(to_json(map_from_entries(
        list({'k': k, 'v': v}) filter (k is not null and v is not null))) as json), json_object())""",
    "sf_append(v, x) as to_json(list_append(json_extract(v, '$[*]'), x))",
    "sf_join(v, w) as to_json(list_concat(json_extract(v, '$[*]'), json_extract(w, '$[*]')))",
    """sf_entries(v) as case json_type(v)
        when 'ARRAY' then list_transform(range(json_array_length(v)::bigint),
            lambda i: {'k': null::varchar, 'i': i, 'p': '[' || i || ']', 'v': json_extract(v, '$[' || i || ']')})
        when 'OBJECT' then list_transform(list_sort(json_keys(v)),
            lambda k: {'k': k, 'i': null::bigint, 'p': k, 'v': json_extract(v, '$."' || k || '"')})
        else [] end""",
    """sf_entries_outer(v) as case when coalesce(len(sf_entries(v)), 0) = 0
        then [{'k': null::varchar, 'i': null::bigint, 'p': ''::varchar, 'v': null::json}] else sf_entries(v) end""",
)
