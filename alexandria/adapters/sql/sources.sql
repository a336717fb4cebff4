-- name: add_source
-- A source that was removed comes back under its old id; what is not told anew stays.
INSERT INTO knowledge.sources AS known (source_id, tenant_id, name, kind, location, module, tags)
VALUES (%(source_id)s, %(tenant_id)s, %(name)s, %(kind)s, %(location)s,
        coalesce(%(module)s, 'library'), coalesce(%(tags)s::text[], '{}'))
ON CONFLICT (source_id) DO UPDATE
    SET name = excluded.name, module = coalesce(%(module)s, known.module),
        tags = coalesce(%(tags)s::text[], known.tags), removed_at = NULL;

-- name: list_sources
SELECT source_id::text, tenant_id, name, kind, location, module, tags, created_at, synced_at
FROM knowledge.sources WHERE tenant_id = %(tenant_id)s AND removed_at IS NULL ORDER BY name;

-- name: list_all_sources
-- Every tenant's sources: what the sensors and schedules watch.
SELECT source_id::text, tenant_id, name, kind, location, module, tags, created_at, synced_at
FROM knowledge.sources WHERE removed_at IS NULL ORDER BY name;

-- name: read_source
-- A removed source is still found: its run takes its documents down.
SELECT source_id::text, tenant_id, name, kind, location, module, tags, created_at, synced_at
FROM knowledge.sources WHERE name = %(name)s ORDER BY removed_at IS NOT NULL LIMIT 1;

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
     problem_code, problem_reason, problem_advice)
VALUES (%(source_id)s, %(path)s, %(size_bytes)s, %(modified_at)s, %(fingerprint)s,
        %(content_hash)s, %(problem_code)s, %(problem_reason)s, %(problem_advice)s)
ON CONFLICT (source_id, path) DO UPDATE
    SET size_bytes = excluded.size_bytes, modified_at = excluded.modified_at,
        fingerprint = excluded.fingerprint, content_hash = excluded.content_hash,
        problem_code = excluded.problem_code, problem_reason = excluded.problem_reason,
        problem_advice = excluded.problem_advice, observed_at = now();

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
