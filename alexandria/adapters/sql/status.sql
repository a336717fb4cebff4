-- name: add_stage_run
INSERT INTO insights.stage_runs (asset, source_id, run_id, elapsed_seconds, model_seconds,
    row_count, token_count, cost_usd)
VALUES (%(asset)s, %(source_id)s, %(run_id)s, %(elapsed_seconds)s, %(model_seconds)s,
    %(row_count)s, %(token_count)s, %(cost_usd)s);

-- name: source_status
-- One row for each source: documents by state, and chunks of a generation.
SELECT source.source_id::text, source.name, source.kind, source.location, source.synced_at,
    count(*) FILTER (WHERE document.deleted_at IS NULL) AS documents,
    count(*) FILTER (WHERE version.state = 'published') AS published,
    count(*) FILTER (WHERE version.state = 'quarantined') AS quarantined,
    count(*) FILTER (
        WHERE version.state IN ('discovered', 'parsed', 'chunked', 'embedded')) AS pending,
    coalesce(sum(chunking.chunk_count), 0)::bigint AS chunks,
    count(*) - count(DISTINCT (source.source_id, version.content_hash)) AS duplicates
FROM knowledge.sources AS source
LEFT JOIN knowledge.documents AS document
    ON document.source_id = source.source_id AND document.deleted_at IS NULL
LEFT JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
LEFT JOIN knowledge.publications AS publication
    ON publication.version_id = version.version_id AND publication.withdrawn_at IS NULL
    AND publication.generation_id = %(generation_id)s
LEFT JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = publication.version_id
    AND chunking.chunker_id = publication.chunker_id
WHERE source.tenant_id = %(tenant_id)s AND source.removed_at IS NULL
GROUP BY source.source_id ORDER BY source.name;

-- name: count_documents_by_kind
SELECT kind, published, pending, quarantined FROM knowledge.count_documents();

-- name: list_quarantine
SELECT source.name AS source_name, document.path, document.document_id::text,
    quarantine.unit, quarantine.stage, quarantine.code, quarantine.reason, quarantine.advice,
    quarantine.quarantined_at
FROM knowledge.quarantine AS quarantine
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.sources AS source ON source.source_id = quarantine.source_id
WHERE quarantine.cleared_at IS NULL AND source.tenant_id = %(tenant_id)s
    AND document.deleted_at IS NULL AND source.removed_at IS NULL
ORDER BY source.name, document.path, length(quarantine.unit), quarantine.unit;

-- name: document_summaries
-- Live documents of a tenant as a generation publishes them, newest state first by path.
SELECT document.document_id::text, version.version_id::text, document.source_id::text,
    source.name AS source_name, source.kind AS source_kind, document.path,
    knowledge.shown_title(parse.title, document.path) AS title,
    coalesce(parse.author, '') AS author,
    coalesce(parse.language, 'und') AS language, coalesce(parse.media_type, '') AS media_type,
    source.tags, version.state, version.modified_at, publication.published_at,
    coalesce(chunking.chunk_count, 0) AS chunk_count
FROM knowledge.documents AS document
JOIN knowledge.sources AS source USING (source_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
LEFT JOIN knowledge.publications AS publication
    ON publication.document_id = document.document_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
LEFT JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = publication.version_id
    AND chunking.chunker_id = publication.chunker_id
LEFT JOIN LATERAL (
    SELECT * FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
WHERE document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])) AND document.deleted_at IS NULL
    AND (%(source)s::text IS NULL OR source.name = %(source)s)
    AND (cardinality(%(document_ids)s::uuid[]) = 0
        OR document.document_id = ANY(%(document_ids)s::uuid[]))
    AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source.source_id = ANY(%(source_ids)s::uuid[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR parse.language = ANY(%(languages)s::text[]))
    AND (cardinality(%(tags)s::text[]) = 0 OR source.tags && %(tags)s::text[])
    AND (%(modified_from)s::timestamptz IS NULL OR version.modified_at >= %(modified_from)s)
    AND (%(modified_to)s::timestamptz IS NULL OR version.modified_at <= %(modified_to)s)
    AND (NOT %(only_published)s OR publication.version_id IS NOT NULL)
ORDER BY source.name, document.path
LIMIT %(limit)s OFFSET %(offset)s;

-- name: count_published_documents
-- How many documents of a tenant a generation publishes that pass a filter.
SELECT count(*)
FROM knowledge.documents AS document
JOIN knowledge.sources AS source USING (source_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.publications AS publication
    ON publication.document_id = document.document_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
WHERE document.tenant_id = %(tenant_id)s AND document.deleted_at IS NULL
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]))
    AND (cardinality(%(document_ids)s::uuid[]) = 0
        OR document.document_id = ANY(%(document_ids)s::uuid[]))
    AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source.source_id = ANY(%(source_ids)s::uuid[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR (
        SELECT candidate.language FROM knowledge.parses AS candidate
        WHERE candidate.content_hash = version.content_hash
        ORDER BY candidate.parsed_at DESC LIMIT 1) = ANY(%(languages)s::text[]))
    AND (cardinality(%(tags)s::text[]) = 0 OR source.tags && %(tags)s::text[])
    AND (%(modified_from)s::timestamptz IS NULL OR version.modified_at >= %(modified_from)s)
    AND (%(modified_to)s::timestamptz IS NULL OR version.modified_at <= %(modified_to)s);

-- name: named_documents
-- Live documents of a tenant whose id, path or title is one of some names.
WITH named AS (
    SELECT document_id FROM knowledge.documents
    WHERE tenant_id = %(tenant_id)s AND (
        document_id::text = ANY(%(names)s) OR path = ANY(%(names)s)
        OR knowledge.shown_title('', path) = ANY(%(names)s))
    UNION
    SELECT document.document_id
    FROM knowledge.parses AS parse
    JOIN knowledge.document_versions AS version USING (content_hash)
    JOIN knowledge.documents AS document ON document.current_version_id = version.version_id
    WHERE parse.title = ANY(%(names)s) AND document.tenant_id = %(tenant_id)s)
SELECT document.document_id::text, document.path,
    knowledge.shown_title(parse.title, document.path) AS title
FROM named
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
LEFT JOIN LATERAL (
    SELECT candidate.title FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
WHERE document.tenant_id = %(tenant_id)s AND document.deleted_at IS NULL
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]));

-- name: document_units
SELECT ordinal, kind, label, anchor, start_offset AS "start", end_offset AS "end", language,
    confidence::double precision, problem_code, problem_reason, problem_advice
FROM knowledge.units WHERE parse_id = %(parse_id)s ORDER BY ordinal;

-- name: document_text
-- Plan: kept.
-- The text of a version that was published once, or of the published one; of a file without
-- words, the name it was cut under.
SELECT document.document_id::text, version.version_id::text,
    knowledge.shown_title(parse.title, document.path) AS title, parse.author, parse.language,
    coalesce(nullif(parse.body, ''), (
        SELECT chunk.body FROM knowledge.version_chunks AS member
        JOIN knowledge.chunks AS chunk USING (chunk_id)
        WHERE member.version_id = chunking.version_id
            AND member.chunker_id = chunking.chunker_id AND member.ordinal = 0), '') AS text,
    parse.parse_id::text
FROM knowledge.documents AS document
JOIN knowledge.publications AS publication USING (document_id)
JOIN knowledge.document_versions AS version ON version.version_id = publication.version_id
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = publication.version_id
    AND chunking.chunker_id = publication.chunker_id
JOIN knowledge.parses AS parse USING (parse_id)
WHERE document.document_id = %(document_id)s AND document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]))
    AND document.deleted_at IS NULL AND version.state <> 'erased'
    AND (publication.version_id = %(version_id)s
        OR (%(version_id)s::uuid IS NULL AND publication.withdrawn_at IS NULL))
ORDER BY publication.published_at DESC LIMIT 1;

-- name: related_documents
-- Documents whose nearest chunks lie nearest to the middle of a document's own, its copies aside;
-- of several copies one, the best that may be read.
WITH middle AS (
    SELECT avg(dense::vector({dimension}))::halfvec({dimension}) AS dense
    FROM knowledge.index_entries
    WHERE generation_id = %(generation_id)s AND document_id = %(document_id)s AND is_published),
near AS (
    SELECT entry.document_id, min(entry.dense::halfvec({dimension}) <=> middle.dense) AS distance
    FROM knowledge.index_entries AS entry, middle
    WHERE entry.generation_id = %(generation_id)s AND entry.tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR entry.access_id = ANY(%(access_ids)s::uuid[]))
        AND entry.is_published AND entry.document_id <> %(document_id)s
        AND NOT entry.document_id = ANY(%(copy_ids)s::uuid[]) AND middle.dense IS NOT NULL
    GROUP BY entry.document_id),
works AS (
    SELECT near.document_id, near.distance,
        coalesce(link.best_document_id, near.document_id) AS work_id
    FROM near LEFT JOIN knowledge.near_duplicates AS link USING (document_id)),
best AS (
    SELECT DISTINCT ON (work_id) document_id,
        min(distance) OVER (PARTITION BY work_id) AS distance
    FROM works ORDER BY work_id, document_id = work_id DESC, works.distance, document_id)
SELECT document_id::text FROM best ORDER BY distance, document_id LIMIT %(limit)s;

-- name: add_check_result
INSERT INTO knowledge.check_results (source_id, name, is_passed, description)
VALUES (%(source_id)s, %(name)s, %(is_passed)s, %(description)s);

-- name: failed_checks
-- Checks whose newest result is a failure.
SELECT source.name AS source_name, result.name, result.description, result.checked_at
FROM (
    SELECT DISTINCT ON (source_id, name) * FROM knowledge.check_results
    ORDER BY source_id, name, checked_at DESC, check_result_id DESC) AS result
JOIN knowledge.sources AS source USING (source_id)
WHERE NOT result.is_passed AND source.tenant_id = %(tenant_id)s AND source.removed_at IS NULL
ORDER BY source.name, result.name;

-- name: ping
SELECT 1;
