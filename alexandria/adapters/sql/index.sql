-- name: pending_entries
-- Chunks of a source's current versions that are not yet in a generation; the language is that
-- of the unit a chunk lies in.
SELECT DISTINCT ON (chunk.chunk_id) chunk.chunk_id::text, chunk.document_id::text,
    document.source_id::text, document.tenant_id, document.access_id::text, unit.language,
    source.tags, version.modified_at, chunk.text_hash
FROM knowledge.documents AS document
JOIN knowledge.sources AS source USING (source_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = version.version_id AND chunking.chunker_id = %(chunker_id)s
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.version_chunks AS member
    ON member.version_id = version.version_id AND member.chunker_id = %(chunker_id)s
JOIN knowledge.units AS unit
    ON unit.parse_id = parse.parse_id AND unit.ordinal = member.unit_ordinal
JOIN knowledge.chunks AS chunk USING (chunk_id)
WHERE document.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.index_entries AS entry
        WHERE entry.generation_id = %(generation_id)s AND entry.chunk_id = chunk.chunk_id)
ORDER BY chunk.chunk_id, member.ordinal;

-- name: chunk_bodies
SELECT chunk_id::text, body FROM knowledge.chunks WHERE chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: known_vectors
-- Vectors of a model by the hash of their text.
SELECT text_hash, vector FROM knowledge.embeddings
WHERE model_id = %(model_id)s AND text_hash = ANY(%(text_hashes)s);

-- name: settle_entries
-- Entries of documents that others may read now; Qdrant is to follow in the same run.
UPDATE knowledge.index_entries AS entry SET access_id = document.access_id, is_in_qdrant = false
FROM knowledge.documents AS document
WHERE entry.generation_id = %(generation_id)s AND entry.document_id = document.document_id
    AND document.source_id = %(source_id)s AND entry.access_id <> document.access_id;

-- name: copy_entries
COPY knowledge.index_entries (generation_id, chunk_id, document_id, source_id, tenant_id,
    access_id, language, tags, modified_at, dense, terms, term_ids) FROM STDIN (FORMAT binary);

-- name: replace_entries
DELETE FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: entry_ids
SELECT chunk_id::text FROM knowledge.index_entries WHERE generation_id = %(generation_id)s;

-- name: entry_vectors
-- Plan: kept.
SELECT chunk_id::text, halfvec_send(dense) AS dense FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: pending_points
-- Entries of a source that Qdrant does not hold yet.
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND source_id = %(source_id)s AND NOT is_in_qdrant
ORDER BY chunk_id;

-- name: read_entries
SELECT chunk_id::text, document_id::text, source_id::text, tenant_id, access_id::text,
    language, tags, modified_at, dense, terms
FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: mark_points
UPDATE knowledge.index_entries SET is_in_qdrant = true
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: marked_points
-- Entries that Qdrant was once seen to hold.
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND is_in_qdrant;

-- name: unmark_points
-- Qdrant was found without them: they are to be written again.
UPDATE knowledge.index_entries SET is_in_qdrant = false
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: add_removals
-- Qdrant was found with points that are no entries: they are to leave.
INSERT INTO knowledge.index_removals (generation_id, chunk_id)
SELECT %(generation_id)s, unnest(%(chunk_ids)s::uuid[]) ON CONFLICT DO NOTHING;

-- name: pending_removals
SELECT chunk_id::text FROM knowledge.index_removals WHERE generation_id = %(generation_id)s;

-- name: clear_removals
DELETE FROM knowledge.index_removals
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: present_entries
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: count_entries
SELECT entry_count FROM knowledge.index_generations WHERE generation_id = %(generation_id)s;

-- name: count_published_entries
SELECT count(*) FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND is_published;

-- name: publishable_versions
-- Current versions that are wholly staged in a generation and not what it publishes, or that
-- were read and cut anew since.
SELECT document.document_id::text, version.version_id::text
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = version.version_id AND chunking.chunker_id = %(chunker_id)s
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM knowledge.publications AS publication
        WHERE publication.generation_id = %(generation_id)s
            AND publication.version_id = version.version_id
            AND publication.chunker_id = chunking.chunker_id
            AND publication.published_at >= chunking.chunked_at
            AND publication.withdrawn_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM knowledge.version_chunks AS member
        WHERE member.version_id = version.version_id AND member.chunker_id = %(chunker_id)s
            AND NOT EXISTS (
                SELECT FROM knowledge.index_entries AS entry
                WHERE entry.generation_id = %(generation_id)s
                    AND entry.chunk_id = member.chunk_id));

-- name: withdrawable_publications
-- What a generation publishes of a source's deleted documents.
SELECT publication.document_id::text
FROM knowledge.publications AS publication
JOIN knowledge.documents AS document USING (document_id)
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    AND document.source_id = %(source_id)s AND document.deleted_at IS NOT NULL;

-- name: withdraw_publications
UPDATE knowledge.publications SET withdrawn_at = now()
WHERE generation_id = %(generation_id)s AND withdrawn_at IS NULL
    AND document_id = ANY(%(document_ids)s::uuid[]);

-- name: add_publications
INSERT INTO knowledge.publications (generation_id, document_id, version_id, chunker_id)
SELECT %(generation_id)s, document_id, version_id, %(chunker_id)s
FROM unnest(%(document_ids)s::uuid[], %(version_ids)s::uuid[]) AS new (document_id, version_id);

-- name: analyze_publications
ANALYZE knowledge.publications;

-- name: remove_unpublished_entries
-- Entries of documents that no publication of theirs holds leave, and Qdrant is to follow.
WITH kept AS MATERIALIZED (
    SELECT publication.document_id, member.chunk_id
    FROM knowledge.publications AS publication
    JOIN knowledge.version_chunks AS member
        ON member.version_id = publication.version_id
        AND member.chunker_id = publication.chunker_id
    WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
        AND publication.document_id = ANY(%(document_ids)s::uuid[])),
gone AS (
    DELETE FROM knowledge.index_entries AS entry
    WHERE entry.generation_id = %(generation_id)s
        AND entry.document_id = ANY(%(document_ids)s::uuid[])
        AND NOT EXISTS (
            SELECT FROM kept
            WHERE kept.document_id = entry.document_id AND kept.chunk_id = entry.chunk_id)
    RETURNING entry.generation_id, entry.chunk_id)
INSERT INTO knowledge.index_removals (generation_id, chunk_id)
SELECT generation_id, chunk_id FROM gone ON CONFLICT DO NOTHING;

-- name: publish_entries
-- An entry keeps the date and the language of the version that brought its text: its terms
-- were stemmed in that language. Tags follow the source, and who may read it the document.
UPDATE knowledge.index_entries AS entry
SET is_published = true, tags = source.tags, access_id = document.access_id,
    is_in_qdrant = entry.is_in_qdrant AND entry.tags = source.tags
        AND entry.access_id = document.access_id
FROM knowledge.publications AS publication
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.sources AS source USING (source_id)
WHERE entry.generation_id = %(generation_id)s AND entry.document_id = document.document_id
    AND publication.generation_id = entry.generation_id AND publication.withdrawn_at IS NULL
    AND document.source_id = %(source_id)s
    AND (NOT entry.is_published OR entry.tags <> source.tags
        OR entry.access_id <> document.access_id);

-- name: mark_versions_published
-- Current versions that a generation publishes: new ones, and those an edit came back to.
UPDATE knowledge.document_versions AS version SET state = 'published', changed_at = now()
FROM knowledge.documents AS document, knowledge.publications AS publication
WHERE document.source_id = %(source_id)s AND document.current_version_id = version.version_id
    AND publication.generation_id = %(generation_id)s
    AND publication.version_id = version.version_id AND publication.withdrawn_at IS NULL
    AND version.state IN ('parsed', 'chunked', 'embedded');
