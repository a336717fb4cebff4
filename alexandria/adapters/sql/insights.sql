-- name: add_query_event
INSERT INTO insights.query_events (tenant_id, question, generation_id, answer_model, is_answered,
    citation_count, elapsed_ms, token_count, cost_usd)
VALUES (%(tenant_id)s, %(question)s, %(generation_id)s, %(answer_model)s, %(is_answered)s,
    %(citation_count)s, %(elapsed_ms)s, %(token_count)s, %(cost_usd)s)
RETURNING query_event_id;

-- name: add_query_event_chunk
INSERT INTO insights.query_event_chunks (query_event_id, number, chunk_id, version_id, quote)
VALUES (%(query_event_id)s, %(number)s, %(chunk_id)s, %(version_id)s, %(quote)s)
ON CONFLICT DO NOTHING;
