-- name: add_source
-- A source that was removed comes back under its old id; what is not told anew stays.
INSERT INTO knowledge.sources AS known
    (source_id, tenant_id, name, kind, location, module, tags, readers)
VALUES (%(source_id)s, %(tenant_id)s, %(name)s, %(kind)s, %(location)s,
        coalesce(%(module)s, 'library'), coalesce(%(tags)s::text[], '{}'),
        coalesce(%(readers)s::text[], '{everyone}'))
ON CONFLICT (source_id) DO UPDATE
    SET name = excluded.name, module = coalesce(%(module)s, known.module),
        tags = coalesce(%(tags)s::text[], known.tags),
        readers = coalesce(%(readers)s::text[], known.readers), removed_at = NULL;

-- name: list_sources
-- Those for everybody, and those with a document that the session may read.
SELECT source_id::text, tenant_id, name, kind, location, module, tags, readers,
    created_at, synced_at
FROM knowledge.sources AS source WHERE tenant_id = %(tenant_id)s AND removed_at IS NULL
    AND (%(access_ids)s::uuid[] IS NULL OR 'everyone' = ANY(readers) OR EXISTS (
        SELECT FROM knowledge.documents AS document
        WHERE document.source_id = source.source_id
            AND document.access_id = ANY(%(access_ids)s::uuid[])))
ORDER BY name;

-- name: list_all_sources
-- Every tenant's sources: what the sensors and schedules watch.
SELECT source_id::text, tenant_id, name, kind, location, module, tags, readers,
    created_at, synced_at
FROM knowledge.sources WHERE removed_at IS NULL ORDER BY name;

-- name: read_source
-- A removed source is still found: its run takes its documents down.
SELECT source_id::text, tenant_id, name, kind, location, module, tags, readers,
    created_at, synced_at
FROM knowledge.sources WHERE name = %(name)s ORDER BY removed_at IS NOT NULL LIMIT 1;

-- name: rename_source
UPDATE knowledge.sources SET name = %(name)s WHERE source_id = %(source_id)s;

-- name: former_upload_sources
-- Removed sources that were the whole upload folder and whose documents still stand.
SELECT name FROM knowledge.sources AS source
WHERE kind = 'upload' AND location = %(location)s AND removed_at IS NOT NULL
    AND EXISTS (
        SELECT FROM knowledge.documents AS document
        WHERE document.source_id = source.source_id AND document.deleted_at IS NULL)
ORDER BY name;

-- name: carry_exclusions
-- What a person deleted from one source stays deleted from the one its files move to.
INSERT INTO knowledge.excluded_files (source_id, path)
SELECT %(source_id)s, path FROM knowledge.excluded_files WHERE source_id = %(former_id)s
ON CONFLICT DO NOTHING;

-- name: mark_source_removed
UPDATE knowledge.sources SET removed_at = now()
WHERE source_id = %(source_id)s AND removed_at IS NULL;

-- name: is_source_removed
SELECT removed_at IS NOT NULL FROM knowledge.sources WHERE source_id = %(source_id)s;

-- name: mark_source_synced
UPDATE knowledge.sources SET synced_at = now() WHERE source_id = %(source_id)s;

-- name: known_files
-- What the last look at a source saw; files inside its files are not looked at.
SELECT path, fingerprint, content_hash FROM knowledge.source_files
WHERE source_id = %(source_id)s AND container_path IS NULL;

-- name: record_file
INSERT INTO knowledge.source_files
    (source_id, path, size_bytes, modified_at, fingerprint, content_hash,
     problem_code, problem_reason, problem_advice, readers)
VALUES (%(source_id)s, %(path)s, %(size_bytes)s, %(modified_at)s, %(fingerprint)s,
        %(content_hash)s, %(problem_code)s, %(problem_reason)s, %(problem_advice)s,
        %(readers)s::text[])
ON CONFLICT (source_id, path) DO UPDATE
    SET size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,
        fingerprint = excluded.fingerprint, content_hash = excluded.content_hash,
        problem_code = excluded.problem_code, problem_reason = excluded.problem_reason,
        problem_advice = excluded.problem_advice, readers = excluded.readers,
        observed_at = now();

-- name: listed_readers
-- Files of the source itself, and who may read them as the last look was told.
SELECT path, readers FROM knowledge.source_files
WHERE source_id = %(source_id)s AND container_path IS NULL;

-- name: readers_of_documents
-- Who may read the documents that something was uploaded to be shown with.
SELECT document.document_id::text, known.readers
FROM knowledge.documents AS document JOIN knowledge.access_lists AS known USING (access_id)
WHERE document.document_id = ANY(%(document_ids)s::uuid[])
    AND document.tenant_id = %(tenant_id)s;

-- name: set_readers
UPDATE knowledge.source_files SET readers = %(readers)s
WHERE source_id = %(source_id)s AND path = %(path)s;

-- name: forget_file
DELETE FROM knowledge.source_files WHERE source_id = %(source_id)s AND path = %(path)s;

-- name: forget_source_files
DELETE FROM knowledge.source_files WHERE source_id = %(source_id)s;

-- name: exclude_file
INSERT INTO knowledge.excluded_files (source_id, path)
SELECT source_id, path FROM knowledge.documents WHERE document_id = %(document_id)s
ON CONFLICT DO NOTHING;

-- name: forget_exclusions
-- A person excluded the file that was there; one that comes later may enter.
DELETE FROM knowledge.excluded_files AS excluded
WHERE excluded.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.source_files AS file
        WHERE file.source_id = excluded.source_id AND file.path = excluded.path);
