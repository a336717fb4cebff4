{#- A moment as a timestamp without zone that reads as UTC wherever it is opened. -#}
{% macro utc(column) -%}
    cast({{ column }} at time zone 'UTC' as timestamp)
{%- endmacro %}
