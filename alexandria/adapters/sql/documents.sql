-- name: readable_files
-- Files of the source itself that could be opened, with the content they had; or those of
-- them whose content is not published yet.
SELECT file.path, file.content_hash FROM knowledge.source_files AS file
WHERE file.source_id = %(source_id)s AND file.problem_code IS NULL
    AND file.container_path IS NULL
    AND NOT (%(only_staged)s AND EXISTS (
        SELECT FROM knowledge.document_versions AS version
        WHERE version.content_hash = file.content_hash AND version.state = 'published'))
ORDER BY file.path;

-- name: vanished_documents
-- Live documents whose file is no longer at their path.
SELECT document.document_id::text, document.path, version.content_hash
FROM knowledge.documents AS document
LEFT JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM knowledge.source_files AS file
        WHERE file.source_id = document.source_id AND file.path = document.path)
ORDER BY document.path;

-- name: unregistered_files
-- Files at whose path no live document stands and that nobody excluded.
SELECT file.path, file.content_hash
FROM knowledge.source_files AS file
WHERE file.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.documents AS document
        WHERE document.source_id = file.source_id AND document.path = file.path
            AND document.deleted_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM knowledge.excluded_files AS excluded
        WHERE excluded.source_id = file.source_id AND excluded.path = file.path)
ORDER BY file.path;

-- name: rename_document
UPDATE knowledge.documents SET path = %(path)s WHERE document_id = %(document_id)s;

-- name: delete_document
UPDATE knowledge.documents SET deleted_at = now(), current_version_id = NULL
WHERE document_id = %(document_id)s AND deleted_at IS NULL;

-- name: document_paths
-- Where the documents of these ids stand now; deleted ones with an empty path.
SELECT document_id::text, CASE WHEN deleted_at IS NULL THEN path ELSE '' END AS path
FROM knowledge.documents WHERE document_id = ANY(%(document_ids)s::uuid[]);

-- name: add_document
INSERT INTO knowledge.documents (document_id, source_id, tenant_id, path, access_id)
SELECT %(document_id)s, source.source_id, source.tenant_id, file.path,
    knowledge.access_list(source.tenant_id, coalesce(file.readers, source.readers))
FROM knowledge.source_files AS file JOIN knowledge.sources AS source USING (source_id)
WHERE source.source_id = %(source_id)s AND file.path = %(path)s
ON CONFLICT (document_id) DO UPDATE SET deleted_at = NULL, path = excluded.path;

-- name: inherit_readers
-- Who may read a file inside another is who may read the outermost.
WITH RECURSIVE held AS (
    SELECT path, readers FROM knowledge.source_files
    WHERE source_id = %(source_id)s AND container_path IS NULL
    UNION ALL
    SELECT file.path, held.readers
    FROM held JOIN knowledge.source_files AS file
        ON file.source_id = %(source_id)s AND file.container_path = held.path)
UPDATE knowledge.source_files AS file SET readers = held.readers
FROM held WHERE file.source_id = %(source_id)s AND file.container_path IS NOT NULL
    AND file.path = held.path AND file.readers IS DISTINCT FROM held.readers;

-- name: settle_access
-- Documents of a source get the access list of their file, or else of the source.
UPDATE knowledge.documents AS document
SET access_id = knowledge.access_list(
    document.tenant_id, coalesce(file.readers, source.readers))
FROM knowledge.source_files AS file, knowledge.sources AS source,
    knowledge.access_lists AS known
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND source.source_id = document.source_id AND known.access_id = document.access_id
    AND file.source_id = document.source_id AND file.path = document.path
    AND known.readers <> coalesce(file.readers, source.readers);

-- name: settle_shown_with
-- What was uploaded to be shown with documents of a source is for those who may read them.
UPDATE knowledge.documents AS shown SET access_id = document.access_id
FROM knowledge.documents AS document, knowledge.sources AS upload
WHERE document.source_id = %(source_id)s AND upload.tenant_id = document.tenant_id
    AND upload.kind = 'upload' AND shown.source_id = upload.source_id
    AND shown.deleted_at IS NULL AND split_part(shown.path, '/', 2) <> ''
    AND split_part(shown.path, '/', 1) = document.document_id::text
    AND shown.access_id <> document.access_id;

-- name: outdated_documents
-- Live documents whose current version is not the content of their file.
SELECT document.document_id::text, file.path, file.content_hash, file.size_bytes,
    file.modified_at, file.problem_code, file.problem_reason, file.problem_advice
FROM knowledge.documents AS document
JOIN knowledge.source_files AS file
    ON file.source_id = document.source_id AND file.path = document.path
LEFT JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND version.content_hash IS DISTINCT FROM file.content_hash
ORDER BY file.path;

-- name: add_version
-- A content that comes back is pending again.
INSERT INTO knowledge.document_versions
    (version_id, document_id, content_hash, size_bytes, modified_at)
VALUES (%(version_id)s, %(document_id)s, %(content_hash)s, %(size_bytes)s, %(modified_at)s)
ON CONFLICT (version_id) DO UPDATE
    SET state = 'discovered', modified_at = excluded.modified_at, changed_at = now();

-- name: set_current_version
UPDATE knowledge.documents SET current_version_id = %(version_id)s
WHERE document_id = %(document_id)s;

-- name: supersede_versions
-- Versions of a source that are no longer current and not published anywhere.
UPDATE knowledge.document_versions AS version
SET state = 'superseded', changed_at = now()
FROM knowledge.documents AS document
WHERE document.document_id = version.document_id AND document.source_id = %(source_id)s
    AND version.state NOT IN ('superseded', 'erased')
    AND document.current_version_id IS DISTINCT FROM version.version_id
    AND NOT EXISTS (
        SELECT FROM knowledge.publications AS publication
        WHERE publication.version_id = version.version_id AND publication.withdrawn_at IS NULL);

-- name: pending_parses
-- Contents of a source's current versions that this parser has not read.
SELECT DISTINCT ON (version.content_hash) version.content_hash, document.path, version.size_bytes
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM knowledge.source_files AS file
        WHERE file.source_id = document.source_id AND file.path = document.path
            AND file.problem_code IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM knowledge.parses AS parse
        WHERE parse.content_hash = version.content_hash
            AND parse.parser_version = %(parser_version)s)
ORDER BY version.content_hash, document.path;

-- name: forget_unrecognized
-- Contents of a source that could not be read for want of a tool, of time or of memory are
-- read again with other tools and limits.
DELETE FROM knowledge.parses AS parse
USING knowledge.document_versions AS version, knowledge.documents AS document
WHERE parse.problem_code = ANY(%(problem_codes)s) AND parse.tools <> %(tools)s
    AND NOT EXISTS (
        SELECT FROM knowledge.chunkings AS chunking WHERE chunking.parse_id = parse.parse_id)
    AND version.content_hash = parse.content_hash
    AND document.current_version_id = version.version_id
    AND document.source_id = %(source_id)s;

-- name: replace_part_read
-- Contents of a source of which a part could not be read for want of the same, and that are
-- cut already: readers keep what was read until the new reading is published.
WITH replaced AS (
    UPDATE knowledge.parses AS parse
    SET parser_version = parse.parser_version || ' ' || parse.parse_id
    FROM knowledge.document_versions AS version, knowledge.documents AS document
    WHERE parse.parser_version = %(parser_version)s AND parse.problem_code IS NULL
        AND parse.tools <> %(tools)s
        AND (EXISTS (
                SELECT FROM knowledge.units AS unit
                WHERE unit.parse_id = parse.parse_id
                    AND unit.problem_code = ANY(%(problem_codes)s))
            OR EXISTS (
                SELECT FROM jsonb_array_elements(parse.notes) AS note
                WHERE note ->> 'code' = ANY(%(note_codes)s)))
        AND version.content_hash = parse.content_hash
        AND document.current_version_id = version.version_id
        AND document.source_id = %(source_id)s
    RETURNING parse.content_hash)
UPDATE knowledge.document_versions AS version SET state = 'discovered', changed_at = now()
FROM replaced, knowledge.documents AS document
WHERE version.content_hash = replaced.content_hash
    AND document.current_version_id = version.version_id AND document.source_id = %(source_id)s;

-- name: count_replaced_parses
SELECT count(*) FROM knowledge.parses
WHERE content_hash = %(content_hash)s AND starts_with(parser_version, %(parser_version)s || ' ');

-- name: add_parse
INSERT INTO knowledge.parses
    (parse_id, content_hash, parser_version, title, author, language, media_type, body,
     blocks, notes, tools, problem_code, problem_reason, problem_advice, elapsed_seconds)
VALUES (%(parse_id)s, %(content_hash)s, %(parser_version)s, %(title)s, %(author)s,
        %(language)s, %(media_type)s, %(body)s, %(blocks)s, %(notes)s, %(tools)s, %(problem_code)s,
        %(problem_reason)s, %(problem_advice)s, %(elapsed_seconds)s)
ON CONFLICT DO NOTHING;

-- name: refuse_parse
-- A text that was read and cannot be cut.
UPDATE knowledge.parses
SET problem_code = %(problem_code)s, problem_reason = %(problem_reason)s,
    problem_advice = %(problem_advice)s
WHERE parse_id = %(parse_id)s;

-- name: add_unit
INSERT INTO knowledge.units
    (parse_id, ordinal, kind, label, anchor, start_offset, end_offset, language, confidence,
     problem_code, problem_reason, problem_advice)
VALUES (%(parse_id)s, %(ordinal)s, %(kind)s, %(label)s, %(anchor)s, %(start_offset)s,
        %(end_offset)s, %(language)s, %(confidence)s, %(problem_code)s, %(problem_reason)s,
        %(problem_advice)s)
ON CONFLICT DO NOTHING;

-- name: add_image
INSERT INTO knowledge.images
    (parse_id, ordinal, unit_ordinal, content_hash, thumbnail_hash, media_type, width, height,
     body, confidence, description)
VALUES (%(parse_id)s, %(ordinal)s, %(unit)s, %(content_hash)s, %(thumbnail_hash)s,
        %(media_type)s, %(width)s, %(height)s, %(text)s, %(confidence)s, %(description)s)
ON CONFLICT DO NOTHING;

-- name: add_attachment
INSERT INTO knowledge.attachments (parse_id, ordinal, name, content_hash, size_bytes)
VALUES (%(parse_id)s, %(ordinal)s, %(name)s, %(content_hash)s, %(size_bytes)s)
ON CONFLICT DO NOTHING;

-- name: settle_contained_files
-- Files inside the files of a source, at any depth, become files of the source, at the path
-- of their container and their own name; one that was packed alone has its container's, without
-- the suffix. A container that this parser has not read, or could not, keeps what it had; one
-- that a person deleted holds nothing. What lies deeper than the limit becomes a file with that
-- problem. Of one file of the source at most so many are taken in, the outer ones first; for
-- those beyond there is one file that says how many they are.
WITH RECURSIVE wanted AS (
    SELECT path, content_hash, size_bytes, modified_at, NULL::text AS container_path, 0 AS depth,
        path AS outermost, 0::numeric AS found
    FROM knowledge.source_files
    WHERE source_id = %(source_id)s AND container_path IS NULL AND problem_code IS NULL
    UNION ALL
    SELECT inside.path, inside.content_hash, inside.size_bytes, holder.modified_at, holder.path,
        holder.depth + 1, holder.outermost, holder.found_after
    FROM (
        SELECT wanted.*, parse.parse_id,
            found + sum(held.amount) OVER place - held.amount AS found_before,
            found + sum(held.amount) OVER (PARTITION BY outermost) AS found_after
        FROM wanted
        LEFT JOIN knowledge.parses AS parse
            ON parse.content_hash = wanted.content_hash
            AND parse.parser_version = %(parser_version)s AND parse.problem_code IS NULL
        CROSS JOIN LATERAL (
            SELECT (SELECT count(*) FROM knowledge.attachments AS attachment
                    WHERE attachment.parse_id = parse.parse_id)
                + (SELECT count(*) FROM knowledge.source_files AS known
                   WHERE parse.parse_id IS NULL AND known.source_id = %(source_id)s
                       AND known.container_path = wanted.path
                       AND NOT starts_with(known.path, wanted.path || '/* ')) AS amount) AS held
        WHERE depth <= %(deepest)s
            AND NOT EXISTS (
                SELECT FROM knowledge.excluded_files AS excluded
                WHERE excluded.source_id = %(source_id)s AND excluded.path = wanted.path)
        WINDOW place AS (PARTITION BY outermost ORDER BY wanted.path ROWS UNBOUNDED PRECEDING)
    ) AS holder
    CROSS JOIN LATERAL (
        SELECT listed.path, listed.content_hash, listed.size_bytes
        FROM (
            SELECT holder.path || '/' || coalesce(nullif(attachment.name, ''),
                    nullif(btrim(substring(holder.path FROM '([^/]+)\.[^./]+$'), '. '), ''),
                    'content') AS path,
                attachment.content_hash, attachment.size_bytes, attachment.ordinal
            FROM knowledge.attachments AS attachment WHERE attachment.parse_id = holder.parse_id
            UNION ALL
            SELECT known.path, known.content_hash, known.size_bytes, 0
            FROM knowledge.source_files AS known
            WHERE holder.parse_id IS NULL AND known.source_id = %(source_id)s
                AND known.container_path = holder.path
                AND NOT starts_with(known.path, holder.path || '/* ')) AS listed
        ORDER BY listed.ordinal, listed.path
        LIMIT greatest(%(most)s - holder.found_before, 0)) AS inside
),
left_out AS (
    SELECT outermost, max(holder.modified_at) AS modified_at,
        sum(held.amount) - (
            SELECT count(*) FROM wanted AS kept
            WHERE kept.outermost = holder.outermost AND kept.depth > 0) AS amount
    FROM (
        SELECT * FROM wanted
        WHERE depth <= %(deepest)s AND NOT EXISTS (
            SELECT FROM knowledge.excluded_files AS excluded
            WHERE excluded.source_id = %(source_id)s AND excluded.path = wanted.path)
    ) AS holder
    LEFT JOIN knowledge.parses AS parse
        ON parse.content_hash = holder.content_hash
        AND parse.parser_version = %(parser_version)s AND parse.problem_code IS NULL
    CROSS JOIN LATERAL (
        SELECT (SELECT count(*) FROM knowledge.attachments AS attachment
                WHERE attachment.parse_id = parse.parse_id)
            + (SELECT count(*) FROM knowledge.source_files AS known
               WHERE parse.parse_id IS NULL AND known.source_id = %(source_id)s
                   AND known.container_path = holder.path
                   AND NOT starts_with(known.path, holder.path || '/* ')) AS amount) AS held
    GROUP BY outermost
),
inside AS (
    SELECT path, content_hash, size_bytes, modified_at, container_path,
        CASE WHEN depth > %(deepest)s THEN %(problem_code)s END AS problem_code,
        CASE WHEN depth > %(deepest)s THEN %(problem_reason)s END AS problem_reason,
        CASE WHEN depth > %(deepest)s THEN %(problem_advice)s END AS problem_advice
    FROM wanted WHERE container_path IS NOT NULL
    UNION ALL
    SELECT left_path, encode(sha256(convert_to(left_path, 'UTF8')), 'hex'), 0, modified_at,
        outermost, %(limit_code)s, replace(%(limit_reason)s, '{count}', amount::text),
        %(limit_advice)s
    FROM left_out, LATERAL (
        SELECT outermost || '/* ' || amount || ' files left out' AS left_path) AS named
    WHERE amount > 0
),
gone AS (
    DELETE FROM knowledge.source_files AS known
    WHERE known.source_id = %(source_id)s AND known.container_path IS NOT NULL
        AND NOT EXISTS (SELECT FROM inside WHERE inside.path = known.path)
    RETURNING known.path
),
kept AS (
    INSERT INTO knowledge.source_files AS known
        (source_id, path, size_bytes, modified_at, fingerprint, content_hash, container_path,
         problem_code, problem_reason, problem_advice)
    SELECT %(source_id)s, path, size_bytes, modified_at, content_hash, content_hash,
        container_path, problem_code, problem_reason, problem_advice
    FROM inside
    ON CONFLICT (source_id, path) DO UPDATE
        SET size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,
            fingerprint = excluded.fingerprint, content_hash = excluded.content_hash,
            container_path = excluded.container_path, problem_code = excluded.problem_code,
            problem_reason = excluded.problem_reason, problem_advice = excluded.problem_advice,
            observed_at = now()
        WHERE known.content_hash <> excluded.content_hash
            OR known.modified_at <> excluded.modified_at
            OR known.container_path IS DISTINCT FROM excluded.container_path
    RETURNING known.path
)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept);

-- name: mark_versions_parsed
-- Current versions whose content the newest parser could read.
UPDATE knowledge.document_versions AS version
SET state = 'parsed', changed_at = now()
FROM knowledge.documents AS document, knowledge.parses AS parse
WHERE document.source_id = %(source_id)s
    AND document.current_version_id = version.version_id
    AND parse.content_hash = version.content_hash
    AND parse.parser_version = %(parser_version)s AND parse.problem_code IS NULL
    AND version.state IN ('discovered', 'quarantined');

-- name: mark_versions_quarantined
-- Current versions that could not be opened, or whose content could not be read.
UPDATE knowledge.document_versions AS version
SET state = 'quarantined', changed_at = now()
FROM knowledge.documents AS document
JOIN knowledge.source_files AS file
    ON file.source_id = document.source_id AND file.path = document.path
LEFT JOIN knowledge.parses AS parse
    ON parse.content_hash = file.content_hash AND parse.parser_version = %(parser_version)s
WHERE document.source_id = %(source_id)s AND document.current_version_id = version.version_id
    AND (file.problem_code IS NOT NULL OR parse.problem_code IS NOT NULL)
    AND version.state <> 'quarantined';

-- name: wanted_problems
-- Everything of a source's current versions that is not in the index, and why.
SELECT document.document_id::text, document.current_version_id::text AS version_id, '' AS unit,
    CASE WHEN file.problem_code IS NULL THEN 'parsed_documents' ELSE 'source_files' END AS stage,
    coalesce(file.problem_code, parse.problem_code) AS code,
    coalesce(file.problem_reason, parse.problem_reason) AS reason,
    coalesce(file.problem_advice, parse.problem_advice) AS advice
FROM knowledge.documents AS document
JOIN knowledge.source_files AS file
    ON file.source_id = document.source_id AND file.path = document.path
LEFT JOIN knowledge.parses AS parse
    ON parse.content_hash = file.content_hash AND parse.parser_version = %(parser_version)s
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND document.current_version_id IS NOT NULL
    AND (file.problem_code IS NOT NULL OR parse.problem_code IS NOT NULL)
UNION ALL
SELECT document.document_id::text, document.current_version_id::text, unit.label,
    'parsed_documents', unit.problem_code, unit.problem_reason, unit.problem_advice
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash AND parse.parser_version = %(parser_version)s
JOIN knowledge.units AS unit USING (parse_id)
WHERE document.source_id = %(source_id)s AND document.deleted_at IS NULL
    AND parse.problem_code IS NULL AND unit.problem_code IS NOT NULL;

-- name: add_quarantine
-- An entry says what is wrong now, however long something has been wrong there.
INSERT INTO knowledge.quarantine
    (quarantine_id, source_id, document_id, version_id, unit, stage, code, reason, advice)
VALUES (%(quarantine_id)s, %(source_id)s, %(document_id)s, %(version_id)s, %(unit)s, %(stage)s,
        %(code)s, %(reason)s, %(advice)s)
ON CONFLICT (quarantine_id) DO UPDATE
    SET stage = excluded.stage, code = excluded.code, reason = excluded.reason,
        advice = excluded.advice, cleared_at = NULL;

-- name: clear_quarantine
-- Entries of a source that are no longer a problem.
UPDATE knowledge.quarantine SET cleared_at = now()
WHERE source_id = %(source_id)s AND cleared_at IS NULL
    AND NOT quarantine_id = ANY(%(quarantine_ids)s::uuid[]);
