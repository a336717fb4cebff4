-- name: add_query_event
-- Whose it is, the session says.
INSERT INTO insights.query_events (tenant_id, user_id, question, generation_id, answer_model,
    is_answered, citation_count, elapsed_ms, token_count, cost_usd)
VALUES (%(tenant_id)s, %(user_id)s, %(question)s, %(generation_id)s, %(answer_model)s,
    %(is_answered)s, %(citation_count)s, %(elapsed_ms)s, %(token_count)s, %(cost_usd)s)
RETURNING query_event_id;

-- name: add_query_event_chunk
INSERT INTO insights.query_event_chunks (query_event_id, number, chunk_id, version_id, quote)
VALUES (%(query_event_id)s, %(number)s, %(chunk_id)s, %(version_id)s, %(quote)s)
ON CONFLICT DO NOTHING;

-- name: add_usage_event
INSERT INTO insights.usage_events (tenant_id, user_id, kind, action, occurred_at, request_id,
    elapsed_ms, properties)
VALUES (%(tenant_id)s, %(user_id)s, %(kind)s, %(action)s, %(occurred_at)s, %(request_id)s,
    %(elapsed_ms)s, %(properties)s);

-- name: add_usage_of_source
-- As many events as there were things, each of a source's kind and of its tenant.
INSERT INTO insights.usage_events (tenant_id, kind, action)
SELECT source.tenant_id, %(kind)s, source.kind
FROM knowledge.sources AS source, generate_series(1, %(number)s)
WHERE source.source_id = %(source_id)s;

-- name: forget_usage_events
DELETE FROM insights.usage_events WHERE occurred_at < %(before)s;

-- name: forget_query_events
-- What their answers cited goes with them.
DELETE FROM insights.query_events WHERE asked_at < %(before)s;

-- name: usage_of_questions
-- Each day of a tenant's: questions, how many were answered, how long they took, what they cost.
SELECT day::date AS day,
    count(event.query_event_id) AS questions,
    count(*) FILTER (WHERE event.is_answered) AS answered,
    count(*) FILTER (WHERE NOT event.is_answered) AS unanswered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY event.elapsed_ms) AS p50_ms,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY event.elapsed_ms) AS p95_ms,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY event.elapsed_ms) AS p99_ms,
    coalesce(sum(event.token_count), 0)::bigint AS tokens,
    coalesce(sum(event.cost_usd), 0)::double precision AS cost_usd
FROM generate_series(%(first)s::timestamp, %(last)s::timestamp, '1 day') AS day
LEFT JOIN insights.query_events AS event
    ON event.tenant_id = %(tenant_id)s
    AND event.asked_at >= day AT TIME ZONE 'UTC'
    AND event.asked_at < (day + interval '1 day') AT TIME ZONE 'UTC'
GROUP BY day
ORDER BY day;

-- name: usage_by_kind
SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, kind, count(*) AS events,
    count(DISTINCT user_id) AS users
FROM insights.usage_events
WHERE tenant_id = %(tenant_id)s AND occurred_at >= %(since)s AND occurred_at < %(until)s
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: usage_totals
-- Of a tenant: accounts in use now, and the questions of a time.
SELECT (SELECT count(*) FROM identity.users
        WHERE tenant_id = %(tenant_id)s AND is_active) AS total_users,
    count(*) AS total_queries,
    avg(elapsed_ms) AS avg_latency_ms,
    coalesce(sum(cost_usd), 0)::double precision AS total_cost_usd
FROM insights.query_events
WHERE tenant_id = %(tenant_id)s AND asked_at >= %(since)s AND asked_at < %(until)s;

-- name: usage_by_user
-- Who asked most; an account that is gone, or that the caller may not see, has no email.
SELECT event.user_id::text, account.email, count(*) AS queries,
    avg(event.elapsed_ms) AS avg_latency_ms,
    sum(event.cost_usd)::double precision AS cost_usd,
    max(event.asked_at) AS last_asked_at
FROM insights.query_events AS event
LEFT JOIN identity.users AS account
    ON account.user_id = event.user_id AND account.tenant_id = event.tenant_id
WHERE event.tenant_id = %(tenant_id)s AND event.asked_at >= %(since)s
    AND event.asked_at < %(until)s AND event.user_id IS NOT NULL
GROUP BY event.user_id, account.email
ORDER BY queries DESC, event.user_id
LIMIT %(limit)s;
