-- name: pending_chunkings
-- Current versions with a readable parse that no chunking of this kind covers, longest first:
-- no worker begins a long one when the others are done.
SELECT document.document_id::text, version.version_id::text, parse.parse_id::text,
    knowledge.shown_title(parse.title, document.path) AS title
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash
    AND parse.parser_version = %(parser_version)s AND parse.problem_code IS NULL
WHERE document.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.chunkings AS chunking
        WHERE chunking.version_id = version.version_id
            AND chunking.chunker_id = %(chunker_id)s AND chunking.parse_id = parse.parse_id)
ORDER BY length(parse.body) DESC, document.path;

-- name: read_parse
SELECT title, author, language, media_type, body, blocks FROM knowledge.parses
WHERE parse_id = %(parse_id)s;

-- name: read_units
SELECT ordinal, kind, label, anchor, start_offset, end_offset,
    problem_code, problem_reason, problem_advice, language, confidence
FROM knowledge.units WHERE parse_id = %(parse_id)s ORDER BY ordinal;

-- name: add_chunks
INSERT INTO knowledge.chunks (chunk_id, document_id, text_hash, body, token_count)
SELECT DISTINCT ON (1) * FROM unnest(%(chunk_ids)s::uuid[], %(document_ids)s::uuid[],
    %(text_hashes)s::text[], %(bodies)s::text[], %(token_counts)s::integer[])
ON CONFLICT (chunk_id) DO NOTHING;

-- name: replace_chunking
-- The chunking of a version makes room for a new one. What readers see of it stays theirs, under
-- a name of its own, until the new one is published.
WITH shown AS (
    UPDATE knowledge.publications AS publication
    SET chunker_id = chunking.chunker_id || ' ' || chunking.parse_id
    FROM knowledge.chunkings AS chunking
    WHERE chunking.version_id = %(version_id)s AND chunking.chunker_id = %(chunker_id)s
        AND publication.version_id = chunking.version_id
        AND publication.chunker_id = chunking.chunker_id AND publication.withdrawn_at IS NULL
    RETURNING publication.chunker_id),
kept AS (
    UPDATE knowledge.chunkings AS chunking SET chunker_id = shown.chunker_id
    FROM (SELECT DISTINCT chunker_id FROM shown) AS shown
    WHERE chunking.version_id = %(version_id)s AND chunking.chunker_id = %(chunker_id)s
    RETURNING chunking.chunker_id),
kept_chunks AS (
    UPDATE knowledge.version_chunks AS member SET chunker_id = kept.chunker_id
    FROM kept
    WHERE member.version_id = %(version_id)s AND member.chunker_id = %(chunker_id)s)
DELETE FROM knowledge.chunkings
WHERE version_id = %(version_id)s AND chunker_id = %(chunker_id)s
    AND NOT EXISTS (SELECT FROM shown);

-- name: add_chunking
INSERT INTO knowledge.chunkings (version_id, chunker_id, parse_id, chunk_count)
VALUES (%(version_id)s, %(chunker_id)s, %(parse_id)s, %(chunk_count)s);

-- name: add_version_chunks
INSERT INTO knowledge.version_chunks (version_id, chunker_id, ordinal, chunk_id, start_offset,
    end_offset, unit_ordinal, anchor, section_path)
SELECT %(version_id)s, %(chunker_id)s, * FROM unnest(%(ordinals)s::integer[],
    %(chunk_ids)s::uuid[], %(starts)s::integer[], %(ends)s::integer[], %(units)s::integer[],
    %(anchors)s::text[], %(section_paths)s::jsonb[]);

-- name: analyze_chunks
-- The planner must know that these tables have grown before they are joined.
ANALYZE knowledge.documents, knowledge.chunkings, knowledge.version_chunks, knowledge.chunks;

-- name: mark_versions_chunked
UPDATE knowledge.document_versions AS version SET state = 'chunked', changed_at = now()
FROM knowledge.documents AS document
WHERE document.source_id = %(source_id)s AND document.current_version_id = version.version_id
    AND version.state = 'parsed'
    AND EXISTS (
        SELECT FROM knowledge.chunkings AS chunking
        WHERE chunking.version_id = version.version_id AND chunking.chunker_id = %(chunker_id)s);

-- name: pending_embeddings
-- Texts of a source's current versions that the model has never seen, shortest first.
SELECT chunk.text_hash, min(chunk.token_count) AS token_count
FROM knowledge.documents AS document
JOIN knowledge.version_chunks AS member
    ON member.version_id = document.current_version_id AND member.chunker_id = %(chunker_id)s
JOIN knowledge.chunks AS chunk USING (chunk_id)
WHERE document.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.embeddings AS embedding
        WHERE embedding.model_id = %(model_id)s AND embedding.text_hash = chunk.text_hash)
GROUP BY chunk.text_hash ORDER BY token_count, chunk.text_hash;

-- name: texts_by_hash
SELECT DISTINCT ON (text_hash) text_hash, body FROM knowledge.chunks
WHERE text_hash = ANY(%(text_hashes)s);

-- name: add_embeddings
INSERT INTO knowledge.embeddings (text_hash, model_id, vector)
SELECT text_hash, %(model_id)s, vector
FROM unnest(%(text_hashes)s::text[], %(vectors)b::halfvec[]) AS new (text_hash, vector)
ON CONFLICT DO NOTHING;

-- name: mark_versions_embedded
-- Versions all of whose texts have a vector of this model.
UPDATE knowledge.document_versions AS version SET state = 'embedded', changed_at = now()
FROM knowledge.documents AS document
WHERE document.source_id = %(source_id)s AND document.current_version_id = version.version_id
    AND version.state = 'chunked'
    AND NOT EXISTS (
        SELECT FROM knowledge.version_chunks AS member
        JOIN knowledge.chunks AS chunk USING (chunk_id)
        WHERE member.version_id = version.version_id AND member.chunker_id = %(chunker_id)s
            AND NOT EXISTS (
                SELECT FROM knowledge.embeddings AS embedding
                WHERE embedding.model_id = %(model_id)s
                    AND embedding.text_hash = chunk.text_hash));
