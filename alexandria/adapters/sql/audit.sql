-- name: add_audit_event
-- A trigger gives it its number and its hash.
INSERT INTO identity.audit_events (tenant_id, user_id, actor, action, resource_type, resource_id,
    outcome, ip_address, user_agent, request_id, details)
VALUES (%(tenant_id)s, %(user_id)s, %(actor)s, %(action)s, %(resource_type)s, %(resource_id)s,
    %(outcome)s, %(ip_address)s, %(user_agent)s, %(request_id)s, %(details)s);

-- name: list_audit_events
SELECT audit_event_id, occurred_at, user_id::text, actor, action, resource_type, resource_id,
    outcome, ip_address, user_agent, request_id, details
FROM identity.audit_events
WHERE tenant_id = %(tenant_id)s
    AND (%(of_user)s::uuid IS NULL OR user_id = %(of_user)s::uuid)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(first)s::timestamptz IS NULL OR occurred_at >= %(first)s)
    AND (%(last)s::timestamptz IS NULL OR occurred_at < %(last)s)
ORDER BY audit_event_id DESC LIMIT %(limit)s;

-- name: count_audit_events
SELECT count(*) FROM identity.audit_events
WHERE tenant_id = %(tenant_id)s
    AND (%(of_user)s::uuid IS NULL OR user_id = %(of_user)s::uuid)
    AND (%(action)s::text IS NULL OR action = %(action)s)
    AND (%(first)s::timestamptz IS NULL OR occurred_at >= %(first)s)
    AND (%(last)s::timestamptz IS NULL OR occurred_at < %(last)s);

-- name: broken_audit_events
-- Numbers of events that are not as they were written, or whose predecessor is missing.
WITH chain AS (
    SELECT event, event.audit_event_id AS number, event.hash,
        lag(event.hash, 1, sha256('')) OVER (ORDER BY event.audit_event_id) AS previous,
        lag(event.audit_event_id, 1, 0::bigint) OVER (ORDER BY event.audit_event_id) AS before
    FROM identity.audit_events AS event)
SELECT number FROM chain
WHERE hash <> identity.audit_hash(event, previous) OR number <> before + 1
ORDER BY number LIMIT %(limit)s;

-- name: audit_extent
-- How many events there are, and how many there should be by the last one's number.
SELECT (SELECT count(*) FROM identity.audit_events) AS held,
    head.audit_event_id AS written,
    coalesce((SELECT event.hash FROM identity.audit_events AS event
        WHERE event.audit_event_id = head.audit_event_id), sha256('')) = head.hash AS is_whole
FROM identity.audit_head AS head;
