-- name: search_dense
-- Nearest entries by cosine that pass the filter, staged ones only if asked for.
SELECT chunk_id::text,
    1 - (dense::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})) AS score
FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND tenant_id = %(tenant_id)s
    AND (is_published OR %(with_staged)s)
    AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source_id = ANY(%(source_ids)s::uuid[]))
    AND (cardinality(%(document_ids)s::uuid[]) = 0 OR document_id = ANY(%(document_ids)s::uuid[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (cardinality(%(tags)s::text[]) = 0 OR tags && %(tags)s::text[])
    AND (%(modified_from)s::timestamptz IS NULL OR modified_at >= %(modified_from)s)
    AND (%(modified_to)s::timestamptz IS NULL OR modified_at <= %(modified_to)s)
ORDER BY dense::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}), chunk_id
LIMIT %(limit)s;

-- name: search_sparse
-- Best entries by BM25 that pass the filter; the question's terms carry their IDF.
SELECT chunk_id::text, -(terms <#> %(terms)s::sparsevec) AS score
FROM knowledge.index_entries
WHERE generation_id = %(generation_id)s AND tenant_id = %(tenant_id)s
    AND (is_published OR %(with_staged)s)
    AND (cardinality(%(source_ids)s::uuid[]) = 0 OR source_id = ANY(%(source_ids)s::uuid[]))
    AND (cardinality(%(document_ids)s::uuid[]) = 0 OR document_id = ANY(%(document_ids)s::uuid[]))
    AND (cardinality(%(languages)s::text[]) = 0 OR language = ANY(%(languages)s::text[]))
    AND (cardinality(%(tags)s::text[]) = 0 OR tags && %(tags)s::text[])
    AND (%(modified_from)s::timestamptz IS NULL OR modified_at >= %(modified_from)s)
    AND (%(modified_to)s::timestamptz IS NULL OR modified_at <= %(modified_to)s)
    AND terms <#> %(terms)s::sparsevec < 0
ORDER BY terms <#> %(terms)s::sparsevec, chunk_id
LIMIT %(limit)s;

-- name: term_frequencies
SELECT term_id, document_frequency FROM knowledge.term_statistics
WHERE generation_id = %(generation_id)s AND term_id = ANY(%(term_ids)s);

-- name: candidate_texts
-- Text of chunks with the title and language of the version that is published, or of the
-- current one if what is staged counts.
SELECT DISTINCT ON (chunk.chunk_id) chunk.chunk_id::text, parse.title, parse.language, chunk.body
FROM knowledge.chunks AS chunk
JOIN knowledge.documents AS document USING (document_id)
JOIN knowledge.version_chunks AS member USING (chunk_id)
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = member.version_id AND chunking.chunker_id = member.chunker_id
JOIN knowledge.parses AS parse USING (parse_id)
LEFT JOIN knowledge.publications AS publication
    ON publication.version_id = member.version_id AND publication.chunker_id = member.chunker_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
WHERE chunk.chunk_id = ANY(%(chunk_ids)s::uuid[])
ORDER BY chunk.chunk_id,
    %(with_staged)s AND member.version_id IS NOT DISTINCT FROM document.current_version_id DESC,
    publication.version_id IS NOT NULL DESC;

-- name: published_languages
-- Languages a generation's documents are written in, most common first.
SELECT parse.language
FROM knowledge.publications AS publication
JOIN knowledge.chunkings AS chunking USING (version_id, chunker_id)
JOIN knowledge.parses AS parse USING (parse_id)
JOIN knowledge.documents AS document ON document.document_id = publication.document_id
WHERE publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
    AND document.tenant_id = %(tenant_id)s
GROUP BY parse.language ORDER BY count(*) DESC, parse.language;

-- name: read_passages
-- What a reader is shown of chunks: where they stand in the published version.
SELECT member.chunk_id::text, publication.document_id::text, publication.version_id::text,
    chunking.parse_id::text, document.path, document.source_id::text, source.name AS source_name,
    source.kind AS source_kind, source.tags, parse.title, parse.author, parse.language,
    version.content_hash, version.modified_at, member.ordinal, member.start_offset,
    member.end_offset, member.anchor, member.section_path, unit.label AS unit_label, chunk.body
FROM knowledge.version_chunks AS member
JOIN knowledge.publications AS publication
    ON publication.version_id = member.version_id AND publication.chunker_id = member.chunker_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
JOIN knowledge.chunkings AS chunking
    ON chunking.version_id = member.version_id AND chunking.chunker_id = member.chunker_id
JOIN knowledge.parses AS parse ON parse.parse_id = chunking.parse_id
JOIN knowledge.units AS unit
    ON unit.parse_id = chunking.parse_id AND unit.ordinal = member.unit_ordinal
JOIN knowledge.chunks AS chunk ON chunk.chunk_id = member.chunk_id
JOIN knowledge.document_versions AS version ON version.version_id = member.version_id
JOIN knowledge.documents AS document ON document.document_id = publication.document_id
JOIN knowledge.sources AS source ON source.source_id = document.source_id
WHERE member.chunk_id = ANY(%(chunk_ids)s::uuid[]) AND document.tenant_id = %(tenant_id)s;

-- name: read_neighbours
-- The chunks just before and after chosen ones, in the same version.
SELECT hit.chunk_id::text AS hit_id, near.ordinal - hit.ordinal AS distance, chunk.body,
    near.start_offset, near.end_offset
FROM knowledge.version_chunks AS hit
JOIN knowledge.publications AS publication
    ON publication.version_id = hit.version_id AND publication.chunker_id = hit.chunker_id
    AND publication.generation_id = %(generation_id)s AND publication.withdrawn_at IS NULL
JOIN knowledge.version_chunks AS near
    ON near.version_id = hit.version_id AND near.chunker_id = hit.chunker_id
    AND near.unit_ordinal = hit.unit_ordinal
    AND near.ordinal BETWEEN hit.ordinal - %(reach)s AND hit.ordinal + %(reach)s
    AND near.ordinal <> hit.ordinal
JOIN knowledge.chunks AS chunk ON chunk.chunk_id = near.chunk_id
WHERE hit.chunk_id = ANY(%(chunk_ids)s::uuid[])
ORDER BY hit_id, distance;
