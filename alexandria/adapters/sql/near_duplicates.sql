-- name: pending_signatures
-- Texts of a tenant's live documents that have no signature of this method.
SELECT DISTINCT parse.parse_id::text
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN LATERAL (
    SELECT candidate.parse_id FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash AND candidate.problem_code IS NULL
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
WHERE document.tenant_id = %(tenant_id)s AND document.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM knowledge.signatures AS known
        WHERE known.parse_id = parse.parse_id AND known.method = %(method)s)
ORDER BY 1;

-- name: parsed_text
SELECT body FROM knowledge.parses WHERE parse_id = %(parse_id)s;

-- name: add_signature
INSERT INTO knowledge.signatures (parse_id, method, shingle_count, signature)
VALUES (%(parse_id)s, %(method)s, %(run_count)s, %(signature)s)
ON CONFLICT (parse_id) DO UPDATE
    SET method = excluded.method, shingle_count = excluded.shingle_count,
        signature = excluded.signature;

-- name: signed_documents
-- A tenant's live documents with the first bytes of their signatures, and what tells which of
-- several copies is the best.
SELECT document.document_id::text, parse.parse_id::text, parse.media_type,
    signed.shingle_count AS run_count, substr(signed.signature, 1, %(sketch_bytes)s) AS sketch,
    units.unread AS units_unread, document.created_at
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN LATERAL (
    SELECT candidate.parse_id, candidate.media_type FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash AND candidate.problem_code IS NULL
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
JOIN knowledge.signatures AS signed
    ON signed.parse_id = parse.parse_id AND signed.method = %(method)s
JOIN LATERAL (
    SELECT count(*) AS unread FROM knowledge.units AS unit
    WHERE unit.parse_id = parse.parse_id AND unit.problem_code IS NOT NULL) AS units ON true
WHERE document.tenant_id = %(tenant_id)s AND document.deleted_at IS NULL
ORDER BY document.document_id;

-- name: read_signatures
SELECT parse_id::text, shingle_count AS run_count, signature FROM knowledge.signatures
WHERE parse_id = ANY(%(parse_ids)s::uuid[]);

-- name: forget_near_duplicates
-- Links of a tenant that no longer hold, or that now lead to another document.
DELETE FROM knowledge.near_duplicates AS link
USING knowledge.documents AS document
WHERE document.document_id = link.document_id AND document.tenant_id = %(tenant_id)s
    AND NOT EXISTS (
        SELECT FROM unnest(%(document_ids)s::uuid[], %(best_document_ids)s::uuid[])
            AS held (document_id, best_document_id)
        WHERE held.document_id = link.document_id
            AND held.best_document_id = link.best_document_id);

-- name: add_near_duplicates
INSERT INTO knowledge.near_duplicates AS link (document_id, best_document_id, similarity, method)
SELECT * FROM unnest(%(document_ids)s::uuid[], %(best_document_ids)s::uuid[],
    %(similarities)s::real[], %(methods)s::text[])
ON CONFLICT (document_id) DO UPDATE
    SET similarity = excluded.similarity, method = excluded.method, found_at = now()
    WHERE (link.similarity, link.method)
        IS DISTINCT FROM (excluded.similarity, excluded.method);

-- name: broken_links
-- Links of a tenant from or to a document that is gone, is another tenant's, or has itself
-- a better copy.
SELECT document.path
FROM knowledge.near_duplicates AS link
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.documents AS best ON best.document_id = link.best_document_id
WHERE document.tenant_id = %(tenant_id)s
    AND (document.deleted_at IS NOT NULL OR best.deleted_at IS NOT NULL
        OR best.tenant_id <> document.tenant_id
        OR EXISTS (
            SELECT FROM knowledge.near_duplicates AS further
            WHERE further.document_id = link.best_document_id))
ORDER BY document.path;

-- name: linked_works
-- The best copy of a document's work, if it has copies.
SELECT DISTINCT best_document_id::text FROM knowledge.near_duplicates
WHERE %(document_id)s::uuid IN (document_id, best_document_id);

-- name: copies_of_works
-- Plan: kept.
-- The published documents of works, named by their best copies.
WITH members AS MATERIALIZED (
    SELECT document_id AS work_id, document_id, 1::real AS similarity
    FROM unnest(%(work_ids)s::uuid[]) AS work (document_id)
    UNION ALL
    SELECT best_document_id, document_id, similarity FROM knowledge.near_duplicates
    WHERE best_document_id = ANY(%(work_ids)s::uuid[])),
shown AS MATERIALIZED (
    SELECT members.work_id, members.document_id, members.similarity, chunking.parse_id
    FROM members
    JOIN knowledge.publications AS publication
        ON publication.document_id = members.document_id AND publication.withdrawn_at IS NULL
        AND publication.generation_id = %(generation_id)s
    JOIN knowledge.chunkings AS chunking
        ON chunking.version_id = publication.version_id
        AND chunking.chunker_id = publication.chunker_id)
SELECT shown.work_id::text, document.document_id::text, shown.similarity,
    source.name AS source_name, document.path,
    knowledge.shown_title(parse.title, document.path) AS title, parse.media_type,
    coalesce(signed.shingle_count, 0) AS run_count, units.unread AS units_unread,
    document.created_at
FROM shown
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.sources AS source USING (source_id)
JOIN knowledge.parses AS parse USING (parse_id)
LEFT JOIN knowledge.signatures AS signed USING (parse_id)
JOIN LATERAL (
    SELECT count(*) AS unread FROM knowledge.units AS unit
    WHERE unit.parse_id = parse.parse_id AND unit.problem_code IS NOT NULL) AS units ON true
WHERE document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])) AND document.deleted_at IS NULL
ORDER BY shown.work_id, document.document_id;
