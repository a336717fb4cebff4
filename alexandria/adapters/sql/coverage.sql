-- name: coverage_tallies
-- Plan: kept.
-- What was found in documents and what came of it, counted by document or by source: units by
-- kind and problem, pictures by whether they hold text, recognized units, notes by code.
-- Of the published version, or else of the current one; with `as_current` always of the
-- current one, as its newest parse has it. What is published is indexed, the rest is pending, but
-- for what was read and could not be cut: it has the problem of the whole.
WITH chosen AS MATERIALIZED (
    SELECT CASE WHEN %(by_source)s THEN document.source_id ELSE document.document_id END AS owner,
        CASE WHEN %(as_current)s THEN newest.parse_id
            ELSE coalesce(published.parse_id, newest.parse_id) END AS parse_id,
        CASE WHEN %(as_current)s THEN coalesce(published.parse_id = newest.parse_id, false)
            ELSE published.parse_id IS NOT NULL END AS is_published
    FROM knowledge.documents AS document
    JOIN knowledge.sources AS source USING (source_id)
    LEFT JOIN knowledge.document_versions AS version
        ON version.version_id = document.current_version_id
    LEFT JOIN LATERAL (
        SELECT parse.parse_id FROM knowledge.parses AS parse
        WHERE parse.content_hash = version.content_hash
        ORDER BY parse.parsed_at DESC LIMIT 1) AS newest ON true
    LEFT JOIN knowledge.publications AS publication
        ON publication.document_id = document.document_id
        AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    LEFT JOIN knowledge.chunkings AS published
        ON published.version_id = publication.version_id
        AND published.chunker_id = publication.chunker_id
    WHERE document.tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])) AND document.deleted_at IS NULL
        AND source.removed_at IS NULL
        AND (%(source_id)s::uuid IS NULL OR source.source_id = %(source_id)s::uuid)
        AND (%(document_ids)s::uuid[] IS NULL
            OR document.document_id = ANY(%(document_ids)s::uuid[])))
SELECT owner::text, 'unit' AS what, unit.kind AS name,
    coalesce(unit.problem_code, parse.problem_code, '') AS problem, is_published,
    count(*) AS amount
FROM chosen
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.units AS unit USING (parse_id)
GROUP BY owner, unit.kind, coalesce(unit.problem_code, parse.problem_code, ''), is_published
UNION ALL
SELECT owner::text, 'recognized', '', '', is_published, count(*)
FROM chosen JOIN knowledge.units AS unit USING (parse_id)
WHERE unit.confidence IS NOT NULL GROUP BY owner, is_published
UNION ALL
SELECT owner::text, 'image', CASE WHEN image.body = '' THEN '' ELSE 'text' END, '',
    is_published, count(*)
FROM chosen JOIN knowledge.images AS image USING (parse_id)
GROUP BY owner, image.body = '', is_published
UNION ALL
SELECT owner::text, 'note', note ->> 'code', '', is_published, count(*)
FROM chosen JOIN knowledge.parses AS parse USING (parse_id),
    jsonb_array_elements(parse.notes) AS note
GROUP BY owner, note ->> 'code', is_published
ORDER BY 1, 2, 3, 4;

-- name: quarantine_reasons
-- How often each reason stands in quarantine, by source: whole documents and single units.
SELECT source.name AS source_name, quarantine.code, quarantine.advice,
    count(*) FILTER (WHERE quarantine.unit = '') AS documents,
    count(*) FILTER (WHERE quarantine.unit <> '') AS units
FROM knowledge.quarantine AS quarantine
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.sources AS source ON source.source_id = quarantine.source_id
WHERE quarantine.cleared_at IS NULL AND source.tenant_id = %(tenant_id)s
    AND document.deleted_at IS NULL AND source.removed_at IS NULL
GROUP BY source.name, quarantine.code, quarantine.advice
ORDER BY source.name, count(*) DESC, quarantine.code, quarantine.advice;

-- name: slowest_documents
-- Documents of a source that took longest to read, by their newest parse.
SELECT document.path, parse.elapsed_seconds
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN LATERAL (
    SELECT candidate.elapsed_seconds FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
ORDER BY parse.elapsed_seconds DESC, document.path LIMIT %(limit)s;

-- name: cited_confidences
-- Plan: kept.
-- How sure recognition was of the least sure block that each quote lies in; no row for text
-- that was text. A block is [kind, start, end, unit, level, anchor, confidence].
SELECT cited.number, min((block ->> 6)::double precision) AS confidence
FROM unnest(%(numbers)s::integer[], %(version_ids)s::uuid[], %(starts)s::integer[],
    %(ends)s::integer[]) AS cited (number, version_id, start_offset, end_offset)
JOIN knowledge.publications AS publication
    ON publication.version_id = cited.version_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = publication.version_id
    AND chunking.chunker_id = publication.chunker_id
JOIN knowledge.parses AS parse USING (parse_id)
CROSS JOIN LATERAL jsonb_array_elements(parse.blocks) AS block
WHERE block ->> 6 IS NOT NULL AND (block ->> 1)::integer < cited.end_offset
    AND cited.start_offset < (block ->> 2)::integer
GROUP BY cited.number ORDER BY cited.number;

-- name: shown_parse
-- The parse that readers of a document see: of its published version, or else the newest of
-- its current one.
SELECT coalesce(published.parse_id, newest.parse_id)::text
FROM knowledge.documents AS document
LEFT JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
LEFT JOIN LATERAL (
    SELECT parse.parse_id FROM knowledge.parses AS parse
    WHERE parse.content_hash = version.content_hash
    ORDER BY parse.parsed_at DESC LIMIT 1) AS newest ON true
LEFT JOIN knowledge.publications AS publication
    ON publication.document_id = document.document_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
LEFT JOIN knowledge.chunkings AS published
    ON published.version_id = publication.version_id
    AND published.chunker_id = publication.chunker_id
WHERE document.document_id = %(document_id)s AND document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]));

-- name: parse_notes
SELECT note.value ->> 'code' AS code, note.value ->> 'message' AS message,
    (note.value ->> 'unit')::integer AS unit
FROM knowledge.parses AS parse, jsonb_array_elements(parse.notes) WITH ORDINALITY AS note
WHERE parse.parse_id = %(parse_id)s ORDER BY note.ordinality;

-- name: document_problem
-- Why the newest version of a document could not be read at all; no row when it could.
SELECT code, reason, advice FROM knowledge.quarantine
WHERE document_id = %(document_id)s AND unit = '' AND cleared_at IS NULL
ORDER BY quarantined_at DESC LIMIT 1;

-- name: attached_documents
-- Live documents whose files lie inside a document's file, and the one it lies in itself.
SELECT other.document_id::text, other.path,
    knowledge.shown_title(parse.title, other.path) AS title,
    coalesce(version.state, 'discovered') AS state,
    nested.path IS NOT DISTINCT FROM file.container_path AS is_container
FROM knowledge.documents AS document
JOIN knowledge.source_files AS file
    ON file.source_id = document.source_id AND file.path = document.path
JOIN knowledge.source_files AS nested
    ON nested.source_id = file.source_id
    AND (nested.container_path = file.path OR nested.path = file.container_path)
JOIN knowledge.documents AS other
    ON other.source_id = nested.source_id AND other.path = nested.path
    AND other.deleted_at IS NULL
    AND (%(access_ids)s::uuid[] IS NULL OR other.access_id = ANY(%(access_ids)s::uuid[]))
LEFT JOIN knowledge.document_versions AS version
    ON version.version_id = other.current_version_id
LEFT JOIN LATERAL (
    SELECT candidate.title FROM knowledge.parses AS candidate
    WHERE candidate.content_hash = version.content_hash
    ORDER BY candidate.parsed_at DESC LIMIT 1) AS parse ON true
WHERE document.document_id = %(document_id)s AND document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]))
ORDER BY other.path;
