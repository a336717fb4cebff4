-- name: staged_documents
-- Current versions of a source that are read and not published, as the suite looks at them.
-- A file without words counts by its name, if a unit of it could be read.
SELECT document.path, knowledge.shown_title(parse.title, document.path) AS title,
    parse.language, parse.media_type, units.found AS unit_count,
    length(CASE WHEN parse.body = '' AND units.readable > 0
        THEN knowledge.shown_title('', document.path) ELSE parse.body END) AS character_count
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash AND parse.parser_version = %(parser_version)s
LEFT JOIN LATERAL (
    SELECT count(*) AS found, count(*) FILTER (WHERE unit.problem_code IS NULL) AS readable
    FROM knowledge.units AS unit WHERE unit.parse_id = parse.parse_id) AS units ON true
WHERE document.source_id = %(source_id)s AND parse.problem_code IS NULL
    AND version.state <> 'published';

-- name: staged_chunks
-- Chunks of a source's unpublished versions, as the suite looks at them.
SELECT document.path, chunk.chunk_id::text, chunk.token_count,
    length(chunk.body) AS character_count,
    member.end_offset - member.start_offset AS span_length, member.anchor,
    chunk.body <> btrim(chunk.body) AS has_outer_space
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.version_chunks AS member USING (version_id)
JOIN knowledge.chunks AS chunk USING (chunk_id)
WHERE document.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.publications AS publication
        WHERE publication.version_id = version.version_id
            AND publication.chunker_id = member.chunker_id AND publication.withdrawn_at IS NULL);

-- name: staged_vectors
-- Vectors of a source's unpublished versions: how long each is, in both senses.
SELECT chunk.text_hash, embedding.model_id, vector_dims(embedding.vector) AS dimension,
    l2_norm(embedding.vector) AS norm
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.version_chunks AS member USING (version_id)
JOIN knowledge.chunks AS chunk USING (chunk_id)
LEFT JOIN knowledge.embeddings AS embedding
    ON embedding.text_hash = chunk.text_hash AND embedding.model_id = %(model_id)s
WHERE document.source_id = %(source_id)s AND member.chunker_id = %(chunker_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.publications AS publication
        WHERE publication.version_id = version.version_id
            AND publication.chunker_id = member.chunker_id
            AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL);

-- name: unhashed_files
SELECT path FROM knowledge.source_files
WHERE source_id = %(source_id)s AND content_hash !~ '^[0-9a-f]{64}$' ORDER BY path;

-- name: current_contents
-- Content hashes that must be stored: those of current versions that could be opened.
SELECT DISTINCT version.content_hash
FROM knowledge.documents AS document
JOIN knowledge.sources AS source USING (source_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
LEFT JOIN knowledge.source_files AS file
    ON file.source_id = document.source_id AND file.path = document.path
WHERE (%(source_id)s::uuid IS NULL OR document.source_id = %(source_id)s)
    AND source.tenant_id = %(tenant_id)s AND file.problem_code IS NULL
    AND NOT (%(only_staged)s AND version.state = 'published');

-- name: held_contents
-- Blobs that came out of current contents when they were read (pictures, their thumbnails,
-- files inside files), each with a content it comes out of.
SELECT DISTINCT ON (held.held_hash) held.held_hash, version.content_hash, document.path,
    version.size_bytes
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse USING (content_hash)
JOIN LATERAL (
    SELECT content_hash AS held_hash FROM knowledge.images AS image
    WHERE image.parse_id = parse.parse_id
    UNION
    SELECT thumbnail_hash FROM knowledge.images AS image WHERE image.parse_id = parse.parse_id
    UNION
    SELECT content_hash FROM knowledge.attachments AS attachment
    WHERE attachment.parse_id = parse.parse_id) AS held ON true
WHERE (%(source_id)s::uuid IS NULL OR document.source_id = %(source_id)s)
    AND document.tenant_id = %(tenant_id)s AND document.deleted_at IS NULL
ORDER BY held.held_hash, document.path;

-- name: unaccounted_units
-- Units that were read but that no chunk of the version comes from. Only their texts are
-- looked at: cutting every unit out of a long document's text costs seconds. A readable unit
-- of a file without words has its name for text.
WITH silent AS MATERIALIZED (
    SELECT document.path, chunking.parse_id, unit.label, unit.start_offset, unit.end_offset
    FROM knowledge.documents AS document
    JOIN knowledge.chunkings AS chunking ON chunking.version_id = document.current_version_id
    JOIN knowledge.units AS unit USING (parse_id)
    WHERE (%(source_id)s::uuid IS NULL OR document.source_id = %(source_id)s)
        AND document.tenant_id = %(tenant_id)s AND unit.problem_code IS NULL
        AND NOT (%(only_staged)s AND EXISTS (
            SELECT FROM knowledge.publications AS publication
            WHERE publication.version_id = chunking.version_id
                AND publication.chunker_id = chunking.chunker_id
                AND publication.withdrawn_at IS NULL))
        AND NOT EXISTS (
            SELECT FROM knowledge.version_chunks AS member
            WHERE member.version_id = chunking.version_id
                AND member.chunker_id = chunking.chunker_id
                AND member.unit_ordinal = unit.ordinal))
SELECT silent.path || ', ' || silent.label AS place
FROM silent JOIN knowledge.parses AS parse USING (parse_id)
WHERE parse.body = '' OR substr(
    parse.body, silent.start_offset + 1, silent.end_offset - silent.start_offset) ~ '\S'
ORDER BY place;

-- name: unread_versions
-- Current versions that are neither read, nor in quarantine, nor on their way in this run.
SELECT document.path
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
WHERE (%(source_id)s::uuid IS NULL OR document.source_id = %(source_id)s)
    AND document.tenant_id = %(tenant_id)s AND version.state = 'discovered'
ORDER BY document.path;

-- name: orphan_entries
-- Entries of a source that stand in no current or published version.
SELECT entry.chunk_id::text
FROM knowledge.index_entries AS entry
WHERE entry.generation_id = %(generation_id)s AND entry.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.version_chunks AS member
        JOIN knowledge.documents AS document ON document.document_id = entry.document_id
        WHERE member.chunk_id = entry.chunk_id
            AND member.version_id = document.current_version_id)
    AND NOT EXISTS (
        SELECT FROM knowledge.version_chunks AS member
        JOIN knowledge.publications AS publication
            ON publication.version_id = member.version_id
            AND publication.generation_id = entry.generation_id
            AND publication.withdrawn_at IS NULL
        WHERE member.chunk_id = entry.chunk_id);

-- name: remove_stale_entries
-- Staged entries of versions that were replaced before they were published.
WITH gone AS (
    DELETE FROM knowledge.index_entries AS entry
    WHERE entry.generation_id = %(generation_id)s AND entry.source_id = %(source_id)s
        AND NOT entry.is_published
        AND NOT EXISTS (
            SELECT FROM knowledge.version_chunks AS member
            JOIN knowledge.documents AS document ON document.document_id = entry.document_id
            WHERE member.chunk_id = entry.chunk_id
                AND member.version_id = document.current_version_id)
    RETURNING entry.generation_id, entry.chunk_id)
INSERT INTO knowledge.index_removals (generation_id, chunk_id)
SELECT generation_id, chunk_id FROM gone ON CONFLICT DO NOTHING;

-- name: staged_entry_ids
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND source_id = %(source_id)s AND NOT is_published
ORDER BY chunk_id;

-- name: source_entry_ids
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND source_id = %(source_id)s;

-- name: published_chunk_ids
-- What the ledger says a generation publishes.
SELECT DISTINCT member.chunk_id::text
FROM knowledge.publications AS publication
JOIN knowledge.version_chunks AS member
    ON member.version_id = publication.version_id AND member.chunker_id = publication.chunker_id
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL;

-- name: published_entry_ids
SELECT chunk_id::text FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND is_published;

-- name: unembedded_chunks
SELECT count(*)
FROM knowledge.publications AS publication
JOIN knowledge.version_chunks AS member
    ON member.version_id = publication.version_id AND member.chunker_id = publication.chunker_id
JOIN knowledge.chunks AS chunk USING (chunk_id)
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    AND NOT EXISTS (
        SELECT FROM knowledge.embeddings AS embedding
        WHERE embedding.model_id = %(model_id)s AND embedding.text_hash = chunk.text_hash);

-- name: wrong_term_statistics
-- Terms whose count differs from a recount over the entries.
SELECT count(*)
FROM (SELECT term_id, count(*) AS found
      FROM knowledge.index_entries AS entry, unnest(entry.term_ids) AS term_id
      WHERE entry.generation_id = %(generation_id)s GROUP BY term_id) AS recount
FULL JOIN (SELECT term_id, document_frequency FROM knowledge.term_statistics
           WHERE generation_id = %(generation_id)s) AS known USING (term_id)
WHERE recount.found IS DISTINCT FROM known.document_frequency;

-- name: count_rows_of_generation
SELECT count(*) FROM knowledge.index_entries WHERE generation_id = %(generation_id)s;

-- name: labelled_questions
-- Questions of a source whose document is live; a copy counts as its best copy.
SELECT question.question_id::text, question.question,
    coalesce(link.best_document_id, document.document_id)::text AS document_id
FROM knowledge.labelled_questions AS question
JOIN knowledge.documents AS document
    ON document.source_id = question.source_id AND document.path = question.path
    AND document.deleted_at IS NULL
LEFT JOIN knowledge.near_duplicates AS link ON link.document_id = document.document_id
WHERE question.source_id = %(source_id)s ORDER BY question.question_id;

-- name: forget_labelled_questions
DELETE FROM knowledge.labelled_questions WHERE source_id = %(source_id)s;

-- name: add_labelled_question
INSERT INTO knowledge.labelled_questions (question_id, source_id, question, path, phrase, kind)
VALUES (%(question_id)s, %(source_id)s, %(question)s, %(path)s, %(phrase)s, %(kind)s)
ON CONFLICT DO NOTHING;

-- name: last_published_score
SELECT ndcg_at_10 FROM knowledge.retrieval_scores
WHERE generation_id = %(generation_id)s AND source_id = %(source_id)s AND is_published
ORDER BY retrieval_score_id DESC LIMIT 1;

-- name: add_retrieval_score
INSERT INTO knowledge.retrieval_scores
    (generation_id, source_id, question_count, ndcg_at_10, mrr_at_10, recall_at_10)
VALUES (%(generation_id)s, %(source_id)s, %(question_count)s, %(ndcg_at_10)s, %(mrr_at_10)s,
        %(recall_at_10)s);

-- name: mark_scores_published
-- The newest score, if it passed: a refused one is never what the next is held to.
UPDATE knowledge.retrieval_scores AS score SET is_published = true
WHERE score.retrieval_score_id = (
        SELECT max(newest.retrieval_score_id) FROM knowledge.retrieval_scores AS newest
        WHERE newest.generation_id = %(generation_id)s AND newest.source_id = %(source_id)s)
    AND NOT score.is_published
    AND score.ndcg_at_10 >= %(tolerance)s * -1 + coalesce((
        SELECT before.ndcg_at_10 FROM knowledge.retrieval_scores AS before
        WHERE before.generation_id = %(generation_id)s AND before.source_id = %(source_id)s
            AND before.is_published ORDER BY before.retrieval_score_id DESC LIMIT 1), 0);

-- name: chunk_documents
-- The documents of chunks; a copy counts as its best copy.
SELECT chunk.chunk_id::text,
    coalesce(link.best_document_id, chunk.document_id)::text AS document_id
FROM knowledge.chunks AS chunk
LEFT JOIN knowledge.near_duplicates AS link USING (document_id)
WHERE chunk.chunk_id = ANY(%(chunk_ids)s::uuid[]);

-- name: staged_entry_count
SELECT count(*) FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND source_id = %(source_id)s AND NOT is_published;

-- name: published_chunk_paths
SELECT DISTINCT member.chunk_id::text, document.path
FROM knowledge.publications AS publication
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.version_chunks AS member
    ON member.version_id = publication.version_id AND member.chunker_id = publication.chunker_id
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL;

-- name: copy_paths
-- Paths of a tenant's copies with those of their best copies.
SELECT document.path, best.path AS best_path
FROM knowledge.near_duplicates AS link
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.documents AS best ON best.document_id = link.best_document_id
WHERE document.tenant_id = %(tenant_id)s;

-- name: source_publication_counts
-- Chunks that a generation publishes of a source, by the ledger and by its entries.
SELECT coalesce(sum(chunking.chunk_count), 0)::bigint AS expected,
    coalesce(sum(entries.found), 0)::bigint AS found
FROM knowledge.documents AS document
JOIN knowledge.publications AS publication
    ON publication.document_id = document.document_id AND publication.withdrawn_at IS NULL
    AND publication.generation_id = %(generation_id)s
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = publication.version_id
    AND chunking.chunker_id = publication.chunker_id
JOIN LATERAL (
    SELECT count(*) AS found FROM knowledge.index_entries AS entry
    WHERE entry.generation_id = %(generation_id)s AND entry.is_published
        AND entry.document_id = document.document_id) AS entries ON true
WHERE document.source_id = %(source_id)s;
