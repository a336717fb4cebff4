-- name: search_dense
-- Nearest entries by cosine that pass the filter, with their vectors; staged ones only if asked
-- for.
SELECT chunk_id, score, halfvec_send(dense) AS dense
FROM (
    SELECT chunk_id::text, dense,
        1 - (dense::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})) AS score
    FROM knowledge.index_entries
    WHERE generation_id = %(generation_id)s AND tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR access_id = ANY(%(access_ids)s::uuid[]))
        AND (is_published OR %(with_staged)s)
        AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source_id = ANY(%(source_ids)s::uuid[]))
        AND (cardinality(%(document_ids)s::uuid[]) = 0
            OR document_id = ANY(%(document_ids)s::uuid[]))
        AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
        AND (cardinality(%(tags)s::text[]) = 0 OR tags && %(tags)s::text[])
        AND (%(modified_from)s::timestamptz IS NULL OR modified_at >= %(modified_from)s)
        AND (%(modified_to)s::timestamptz IS NULL OR modified_at <= %(modified_to)s)
    ORDER BY dense::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}), chunk_id
    LIMIT %(limit)s) AS near;

-- name: search_dense_exactly
-- The same in an order that no index of vectors gives, so that every entry is compared. Vectors
-- are not asked for: they would be sorted along with all entries.
SELECT chunk_id::text,
    1 - (dense::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})) AS score
FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR access_id = ANY(%(access_ids)s::uuid[]))
    AND (is_published OR %(with_staged)s)
    AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source_id = ANY(%(source_ids)s::uuid[]))
    AND (cardinality(%(document_ids)s::uuid[]) = 0 OR document_id = ANY(%(document_ids)s::uuid[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (cardinality(%(tags)s::text[]) = 0 OR tags && %(tags)s::text[])
    AND (%(modified_from)s::timestamptz IS NULL OR modified_at >= %(modified_from)s)
    AND (%(modified_to)s::timestamptz IS NULL OR modified_at <= %(modified_to)s)
ORDER BY score DESC, chunk_id
LIMIT %(limit)s;

-- name: search_sparse
-- Best entries by BM25 that pass the filter, with their vectors; the question's terms carry
-- their IDF. Their ids are given too where an index of them finds the entries that have one.
-- Vectors are read of the best alone: they would be sorted along with all entries.
SELECT best.chunk_id::text, -best.distance AS score, halfvec_send(entry.dense) AS dense
FROM (
    SELECT chunk_id, distance
    FROM (
        SELECT chunk_id, terms <#> %(terms)s::sparsevec AS distance
        FROM knowledge.index_entries
        WHERE generation_id = %(generation_id)s AND tenant_id = %(tenant_id)s
            AND (%(access_ids)s::uuid[] IS NULL OR access_id = ANY(%(access_ids)s::uuid[]))
            AND (is_published OR %(with_staged)s)
            AND (cardinality(%(term_ids)s::integer[]) = 0
                OR term_ids OPERATOR(knowledge.&&) %(term_ids)s::integer[])
            AND (cardinality(%(source_ids)s::uuid[]) = 0
                OR source_id = ANY(%(source_ids)s::uuid[]))
            AND (cardinality(%(document_ids)s::uuid[]) = 0
                OR document_id = ANY(%(document_ids)s::uuid[]))
            AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
            AND (cardinality(%(tags)s::text[]) = 0 OR tags && %(tags)s::text[])
            AND (%(modified_from)s::timestamptz IS NULL OR modified_at >= %(modified_from)s)
            AND (%(modified_to)s::timestamptz IS NULL OR modified_at <= %(modified_to)s)
        OFFSET 0) AS compared
    WHERE distance < 0
    ORDER BY distance, chunk_id
    LIMIT %(limit)s) AS best
JOIN knowledge.index_entries AS entry
    ON entry.generation_id = %(generation_id)s AND entry.chunk_id = best.chunk_id
ORDER BY best.distance, best.chunk_id;

-- name: term_frequencies
-- Plan: kept.
SELECT known.term_id, known.document_frequency, generation.entry_count,
    to_regclass(%(index)s) IS NOT NULL AS is_indexed
FROM knowledge.term_statistics AS known
JOIN knowledge.index_generations AS generation USING (generation_id)
WHERE known.generation_id = %(generation_id)s AND known.term_id = ANY(%(term_ids)s);

-- name: published_texts
-- Plan: kept.
-- Text of chunks that stand in a published version, with its title, the language of the unit,
-- and the best copy of its document if it has copies. What depends on the document alone is
-- found once for all its chunks.
WITH wanted AS MATERIALIZED (
    SELECT chunk.chunk_id, chunk.document_id, chunk.body
    FROM unnest(%(chunk_ids)s::uuid[]) AS asked (chunk_id)
    JOIN knowledge.chunks AS chunk USING (chunk_id)),
published AS MATERIALIZED (
    SELECT document.document_id, publication.version_id, publication.chunker_id,
        chunking.parse_id, knowledge.shown_title(parse.title, document.path) AS title,
        coalesce(link.best_document_id,
            (SELECT DISTINCT led.best_document_id FROM knowledge.near_duplicates AS led
             WHERE led.best_document_id = document.document_id)) AS work_id
    FROM (SELECT DISTINCT document_id FROM wanted) AS holder
    JOIN knowledge.documents AS document
        ON document.document_id = holder.document_id AND document.deleted_at IS NULL
    JOIN knowledge.publications AS publication
        ON publication.document_id = document.document_id AND publication.withdrawn_at IS NULL
        AND publication.generation_id = %(generation_id)s
    JOIN knowledge.chunkings AS chunking
        ON chunking.version_id = publication.version_id
        AND chunking.chunker_id = publication.chunker_id
    JOIN knowledge.parses AS parse USING (parse_id)
    LEFT JOIN knowledge.near_duplicates AS link ON link.document_id = document.document_id
    WHERE document.tenant_id = %(tenant_id)s
        AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[])))
SELECT wanted.chunk_id::text, wanted.document_id::text, published.title, unit.language,
    wanted.body, published.work_id::text
FROM wanted
JOIN published USING (document_id)
JOIN LATERAL (
    SELECT member.unit_ordinal FROM knowledge.version_chunks AS member
    WHERE member.chunk_id = wanted.chunk_id AND member.version_id = published.version_id
        AND member.chunker_id = published.chunker_id LIMIT 1) AS member ON true
JOIN LATERAL (
    SELECT known.language FROM knowledge.units AS known
    WHERE known.parse_id = published.parse_id AND known.ordinal = member.unit_ordinal
    LIMIT 1) AS unit ON true;

-- name: staged_texts
-- Text of chunks with the title and language of the current version, or of another that has it.
SELECT DISTINCT ON (chunk.chunk_id) chunk.chunk_id::text, chunk.document_id::text,
    knowledge.shown_title(parse.title, document.path) AS title, unit.language, chunk.body,
    NULL AS work_id
FROM knowledge.chunks AS chunk
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.version_chunks AS member USING (chunk_id)
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = member.version_id AND chunking.chunker_id = member.chunker_id
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.units AS unit
    ON unit.parse_id = parse.parse_id AND unit.ordinal = member.unit_ordinal
LEFT JOIN knowledge.publications AS publication
    ON publication.version_id = member.version_id AND publication.chunker_id = member.chunker_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
WHERE chunk.chunk_id = ANY(%(chunk_ids)s::uuid[])
ORDER BY chunk.chunk_id, member.version_id IS NOT DISTINCT FROM document.current_version_id DESC,
    publication.version_id IS NOT NULL DESC;

-- name: publication_state
-- What differs whenever something was published or withdrawn.
SELECT published_at::text FROM knowledge.index_generations
WHERE generation_id = %(generation_id)s;

-- name: published_languages
-- Languages that the units of a generation's documents are written in, most common first.
SELECT unit.language
FROM knowledge.publications AS publication
JOIN knowledge.chunkings AS chunking USING (version_id, chunker_id)
JOIN knowledge.units AS unit USING (parse_id)
JOIN knowledge.documents AS document ON document.document_id = publication.document_id
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    AND document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]))
GROUP BY unit.language ORDER BY count(*) DESC, unit.language;

-- name: read_passages
-- Plan: kept.
-- What a reader is shown of chunks: where they stand in the published version. Joined in two
-- steps: planning all at once takes longer than reading.
WITH placed AS MATERIALIZED (
    SELECT member.chunk_id, publication.document_id, publication.version_id, member.ordinal,
        member.start_offset, member.end_offset, member.anchor, member.section_path,
        chunking.parse_id, unit.label, chunk.body
    FROM knowledge.version_chunks AS member
    JOIN knowledge.publications AS publication
        ON publication.version_id = member.version_id
        AND publication.chunker_id = member.chunker_id
        AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    JOIN knowledge.chunkings AS chunking
        ON chunking.version_id = member.version_id AND chunking.chunker_id = member.chunker_id
    JOIN knowledge.units AS unit
        ON unit.parse_id = chunking.parse_id AND unit.ordinal = member.unit_ordinal
    JOIN knowledge.chunks AS chunk ON chunk.chunk_id = member.chunk_id
    WHERE member.chunk_id = ANY(%(chunk_ids)s::uuid[]))
SELECT placed.chunk_id::text, placed.document_id::text, placed.version_id::text, document.path,
    document.source_id::text, source.name AS source_name, source.kind AS source_kind,
    source.tags, knowledge.shown_title(parse.title, document.path) AS title, parse.author,
    parse.language, version.modified_at, placed.start_offset, placed.end_offset, placed.anchor,
    placed.section_path, placed.label AS unit_label, placed.body
FROM placed
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.document_versions AS version USING (version_id)
JOIN knowledge.documents AS document ON document.document_id = placed.document_id
JOIN knowledge.sources AS source ON source.source_id = document.source_id
WHERE document.tenant_id = %(tenant_id)s
    AND (%(access_ids)s::uuid[] IS NULL OR document.access_id = ANY(%(access_ids)s::uuid[]));

-- name: read_neighbours
-- Plan: kept.
-- The chunks just before and after chosen ones in the published version; in the same unit,
-- unless other units count as well.
SELECT hit.chunk_id::text AS hit_id, near.ordinal - hit.ordinal AS distance, chunk.body
FROM unnest(%(chunk_ids)s::uuid[]) AS wanted (chunk_id)
JOIN knowledge.version_chunks AS hit USING (chunk_id)
JOIN knowledge.publications AS publication
    ON publication.version_id = hit.version_id AND publication.chunker_id = hit.chunker_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
JOIN LATERAL (
    SELECT beside.ordinal, beside.chunk_id, beside.unit_ordinal
    FROM knowledge.version_chunks AS beside
    WHERE beside.version_id = hit.version_id AND beside.chunker_id = hit.chunker_id
        AND beside.ordinal BETWEEN hit.ordinal - %(reach)s AND hit.ordinal + %(reach)s
        AND beside.ordinal <> hit.ordinal
    OFFSET 0) AS near ON %(across_units)s OR near.unit_ordinal = hit.unit_ordinal
JOIN knowledge.chunks AS chunk ON chunk.chunk_id = near.chunk_id
ORDER BY hit_id, distance;
