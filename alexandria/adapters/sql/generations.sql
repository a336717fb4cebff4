-- name: list_generations
SELECT generation_id, settings, model_id, dimension, state, entry_count, created_at, activated_at
FROM knowledge.index_generations WHERE state <> 'retired' ORDER BY created_at;

-- name: read_generation
SELECT generation_id, settings, model_id, dimension, state, entry_count, created_at, activated_at
FROM knowledge.index_generations WHERE generation_id = %(generation_id)s;

-- name: live_generation
-- Plan: kept.
SELECT generation_id, settings, model_id, dimension, state, entry_count, created_at, activated_at
FROM knowledge.index_generations WHERE state = 'live';

-- name: add_generation
-- The first generation is live from the start; later ones wait for a switch.
INSERT INTO knowledge.index_generations
    (generation_id, settings, model_id, dimension, state, activated_at)
SELECT %(generation_id)s, %(settings)s, %(model_id)s, %(dimension)s,
    CASE WHEN is_first THEN 'live' ELSE 'building' END, CASE WHEN is_first THEN now() END
FROM (SELECT NOT EXISTS (
    SELECT FROM knowledge.index_generations WHERE state = 'live') AS is_first) AS known
ON CONFLICT (generation_id) DO UPDATE
    SET state = CASE WHEN index_generations.state = 'retired' THEN 'building'
        ELSE index_generations.state END;

-- name: stand_down_live
UPDATE knowledge.index_generations SET state = 'standby' WHERE state = 'live';

-- name: make_live
UPDATE knowledge.index_generations SET state = 'live', activated_at = now()
WHERE generation_id = %(generation_id)s;

-- name: retire_generation
UPDATE knowledge.index_generations SET state = 'retired', entry_count = 0
WHERE generation_id = %(generation_id)s AND state <> 'live';

-- name: forget_term_statistics
DELETE FROM knowledge.term_statistics WHERE generation_id = %(generation_id)s;

-- name: forget_index_removals
DELETE FROM knowledge.index_removals WHERE generation_id = %(generation_id)s;

-- name: withdraw_generation
UPDATE knowledge.publications SET withdrawn_at = now()
WHERE generation_id = %(generation_id)s AND withdrawn_at IS NULL;

-- name: unpublished_documents
-- Documents that readers have now, in a version that a generation does not publish. Those
-- that wait at the gate are in neither; those that became unreadable keep no one waiting.
SELECT count(*)
FROM knowledge.index_generations AS live
JOIN knowledge.publications AS shown
    ON shown.generation_id = live.generation_id AND shown.withdrawn_at IS NULL
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
WHERE live.state = 'live' AND document.deleted_at IS NULL AND version.state <> 'quarantined'
    AND NOT EXISTS (
        SELECT FROM knowledge.publications AS publication
        WHERE publication.generation_id = %(generation_id)s
            AND publication.version_id IN (shown.version_id, document.current_version_id)
            AND publication.withdrawn_at IS NULL);
