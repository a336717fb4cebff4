-- name: pending_image_embeddings
-- Pictures of a source's current versions that the model has never seen, with a thumbnail each.
SELECT image.content_hash, min(image.thumbnail_hash) AS thumbnail_hash
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash AND parse.parser_version = %(parser_version)s
JOIN knowledge.images AS image USING (parse_id)
WHERE document.source_id = %(source_id)s
    AND NOT EXISTS (
        SELECT FROM knowledge.image_embeddings AS embedding
        WHERE embedding.model_id = %(model_id)s AND embedding.content_hash = image.content_hash)
GROUP BY image.content_hash ORDER BY image.content_hash;

-- name: add_image_embeddings
INSERT INTO knowledge.image_embeddings (content_hash, model_id, vector)
SELECT content_hash, %(model_id)s, vector
FROM unnest(%(content_hashes)s::text[], %(vectors)b::halfvec[]) AS new (content_hash, vector)
ON CONFLICT DO NOTHING;

-- name: pending_image_captions
-- Pictures of a source's current versions that the model has not described, larger ones first.
SELECT image.content_hash, min(image.thumbnail_hash) AS thumbnail_hash,
    min(image.media_type) AS media_type
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash AND parse.parser_version = %(parser_version)s
JOIN knowledge.images AS image USING (parse_id)
WHERE document.source_id = %(source_id)s
    AND least(image.width, image.height) >= %(least_side)s
    AND NOT EXISTS (
        SELECT FROM knowledge.image_captions AS caption
        WHERE caption.model_id = %(model_id)s AND caption.content_hash = image.content_hash)
GROUP BY image.content_hash ORDER BY max(image.width * image.height) DESC, image.content_hash;

-- name: add_image_caption
INSERT INTO knowledge.image_captions (content_hash, model_id, caption)
VALUES (%(content_hash)s, %(model_id)s, %(caption)s)
ON CONFLICT DO NOTHING;

-- name: undescribed_images
-- Where pictures of a source's unpublished versions stand that have no vector of the model.
SELECT DISTINCT document.path || ', picture ' || (image.ordinal + 1) AS place
FROM knowledge.documents AS document
JOIN knowledge.document_versions AS version
    ON version.version_id = document.current_version_id
JOIN knowledge.parses AS parse
    ON parse.content_hash = version.content_hash AND parse.parser_version = %(parser_version)s
JOIN knowledge.images AS image USING (parse_id)
WHERE document.source_id = %(source_id)s AND version.state <> 'published'
    AND NOT EXISTS (
        SELECT FROM knowledge.image_embeddings AS embedding
        WHERE embedding.model_id = %(model_id)s AND embedding.content_hash = image.content_hash
            AND vector_dims(embedding.vector) = %(size)s)
ORDER BY place;

-- name: search_images
-- Published pictures of a tenant that resemble one most, each once for every document.
WITH shown AS (
    SELECT DISTINCT ON (document.document_id, image.content_hash)
        document.document_id, publication.version_id, image.parse_id, image.ordinal,
        embedding.vector::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) AS distance
    FROM knowledge.publications AS publication
    JOIN knowledge.documents AS document ON document.document_id = publication.document_id
    JOIN knowledge.chunkings AS chunking
        ON chunking.version_id = publication.version_id
        AND chunking.chunker_id = publication.chunker_id
    JOIN knowledge.images AS image ON image.parse_id = chunking.parse_id
    JOIN knowledge.image_embeddings AS embedding
        ON embedding.content_hash = image.content_hash AND embedding.model_id = %(model_id)s
    WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
        AND document.tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])) AND document.deleted_at IS NULL
        AND vector_dims(embedding.vector) = %(dimension)s
    ORDER BY document.document_id, image.content_hash, image.ordinal),
nearest AS (
    SELECT * FROM shown ORDER BY distance, document_id, ordinal LIMIT %(limit)s)
SELECT document.document_id || '.' || left(image.content_hash, 16) AS image_id,
    document.document_id::text, nearest.version_id::text,
    knowledge.shown_title(parse.title, document.path) AS title, document.path, unit.label,
    unit.anchor, image.media_type, image.width, image.height, image.body AS text,
    image.confidence, image.description, coalesce(caption.caption, '') AS caption,
    1 - nearest.distance AS score
FROM nearest
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.images AS image USING (parse_id, ordinal)
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.units AS unit
    ON unit.parse_id = image.parse_id AND unit.ordinal = image.unit_ordinal
LEFT JOIN LATERAL (
    SELECT newest.caption FROM knowledge.image_captions AS newest
    WHERE newest.content_hash = image.content_hash
    ORDER BY newest.captioned_at DESC LIMIT 1) AS caption ON true
ORDER BY nearest.distance, document.document_id, image.ordinal;

-- name: published_images
-- Pictures of a published document in reading order, each once, those that were uploaded to it
-- last; or the one whose hash begins like that.
WITH shown AS (
    SELECT DISTINCT ON (document.document_id, image.content_hash)
        document.document_id, document.path, document.document_id::text <> %(document_id)s::text
        AS is_uploaded, publication.version_id, image.*
    FROM knowledge.documents AS document
    JOIN knowledge.sources AS source USING (source_id)
    JOIN knowledge.publications AS publication
        ON publication.document_id = document.document_id
        AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    JOIN knowledge.chunkings AS chunking
        ON chunking.version_id = publication.version_id
        AND chunking.chunker_id = publication.chunker_id
    JOIN knowledge.images AS image ON image.parse_id = chunking.parse_id
    WHERE (document.document_id = %(document_id)s::text::uuid
            OR (%(with_uploaded)s AND source.kind = 'upload'
                AND starts_with(document.path, %(document_id)s::text || '/')))
        AND document.tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])) AND document.deleted_at IS NULL
        AND starts_with(image.content_hash, %(hash_prefix)s)
    ORDER BY document.document_id, image.content_hash, image.ordinal)
SELECT image.document_id || '.' || left(image.content_hash, 16) AS image_id,
    image.document_id::text, image.version_id::text,
    knowledge.shown_title(parse.title, image.path) AS title, image.path, unit.label, unit.anchor,
    image.media_type, image.width, image.height, image.body AS text,
    image.confidence, image.description, coalesce(caption.caption, '') AS caption,
    image.content_hash, image.thumbnail_hash
FROM shown AS image
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.units AS unit
    ON unit.parse_id = image.parse_id AND unit.ordinal = image.unit_ordinal
LEFT JOIN LATERAL (
    SELECT newest.caption FROM knowledge.image_captions AS newest
    WHERE newest.content_hash = image.content_hash
    ORDER BY newest.captioned_at DESC LIMIT 1) AS caption ON true
ORDER BY image.is_uploaded, image.path, image.ordinal;
