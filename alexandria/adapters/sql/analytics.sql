-- name: export_knowledge_sources
-- `exported_at` is the moment every exported table shows.
SELECT source_id::text, tenant_id, name, kind, location, module, array_to_json(tags)::text AS tags,
    created_at, synced_at, removed_at, now() AS exported_at
FROM knowledge.sources

-- name: export_knowledge_documents
SELECT document_id::text, source_id::text, tenant_id, path,
    knowledge.shown_title('', path) AS name_title, current_version_id::text, created_at, deleted_at
FROM knowledge.documents

-- name: export_knowledge_document_versions
SELECT version_id::text, document_id::text, content_hash, size_bytes, modified_at, state,
    discovered_at, changed_at
FROM knowledge.document_versions

-- name: export_knowledge_parses
-- Without the text itself, which only the ledger keeps.
SELECT parse_id::text, content_hash, parser_version, title, author, language, media_type,
    length(body) AS character_count, problem_code, elapsed_seconds, parsed_at
FROM knowledge.parses

-- name: export_knowledge_units
SELECT parse_id::text, ordinal, kind, label, anchor, start_offset, end_offset, problem_code
FROM knowledge.units

-- name: export_knowledge_chunkings
-- With the tokens of the chunks it made; the chunks themselves stay in the ledger.
SELECT chunking.version_id::text, chunking.chunker_id, chunking.parse_id::text,
    chunking.chunk_count, coalesce(sizes.token_count, 0)::bigint AS token_count,
    chunking.chunked_at
FROM knowledge.chunkings AS chunking
LEFT JOIN (
    SELECT member.version_id, member.chunker_id, sum(chunk.token_count) AS token_count
    FROM knowledge.version_chunks AS member
    JOIN knowledge.chunks AS chunk USING (chunk_id)
    GROUP BY member.version_id, member.chunker_id) AS sizes USING (version_id, chunker_id)

-- name: export_knowledge_publications
SELECT generation_id, document_id::text, version_id::text, chunker_id, published_at, withdrawn_at
FROM knowledge.publications

-- name: export_knowledge_quarantine
SELECT quarantine_id::text, source_id::text, document_id::text, version_id::text, unit, stage,
    code, reason, advice, quarantined_at, cleared_at
FROM knowledge.quarantine

-- name: export_knowledge_index_generations
SELECT generation_id, model_id, dimension, state, entry_count, created_at, activated_at
FROM knowledge.index_generations

-- name: export_knowledge_retrieval_scores
SELECT retrieval_score_id, generation_id, source_id::text, measured_at, question_count,
    ndcg_at_10, mrr_at_10, recall_at_10, is_published
FROM knowledge.retrieval_scores

-- name: export_knowledge_check_results
SELECT check_result_id, source_id::text, name, is_passed, description, checked_at
FROM knowledge.check_results

-- name: export_insights_stage_runs
SELECT stage_run_id, asset, source_id::text, run_id, finished_at, elapsed_seconds, model_seconds,
    row_count, token_count, cost_usd
FROM insights.stage_runs

-- name: export_insights_query_events
SELECT query_event_id, tenant_id, asked_at, question, generation_id, answer_model, is_answered,
    citation_count, elapsed_ms, token_count, cost_usd
FROM insights.query_events

-- name: export_insights_query_event_chunks
-- Without the quotes, which only the ledger keeps.
SELECT query_event_id, number, chunk_id::text, version_id::text
FROM insights.query_event_chunks
