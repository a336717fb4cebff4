"""Create the ledger: sources, documents, versions, chunks, embeddings, generations."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SOURCES = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE SCHEMA knowledge;
CREATE SCHEMA insights;

CREATE TABLE knowledge.sources (
    source_id uuid PRIMARY KEY,
    tenant_id text NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]*$'),
    kind text NOT NULL CHECK (kind IN ('folder', 'file', 'upload')),
    location text NOT NULL,
    module text NOT NULL CHECK (module IN ('library', 'lms', 'marketplace')),
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    synced_at timestamptz,
    removed_at timestamptz,
    UNIQUE (tenant_id, kind, location)
);
CREATE UNIQUE INDEX sources_name_key ON knowledge.sources (name) WHERE removed_at IS NULL;

CREATE TABLE knowledge.documents (
    document_id uuid PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    tenant_id text NOT NULL,
    path text NOT NULL,
    current_version_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX documents_path_key ON knowledge.documents (source_id, path)
    WHERE deleted_at IS NULL;

CREATE TABLE knowledge.source_files (
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    path text NOT NULL,
    size_bytes bigint NOT NULL,
    modified_at timestamptz NOT NULL,
    fingerprint text NOT NULL,
    content_hash text NOT NULL,
    problem_code text,
    problem_reason text,
    problem_advice text,
    observed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_id, path)
);

CREATE TABLE knowledge.excluded_files (
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    path text NOT NULL,
    excluded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_id, path)
);
COMMENT ON TABLE knowledge.excluded_files IS
    'Documents a person deleted while the file stays in its folder.';

CREATE TABLE knowledge.document_versions (
    version_id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES knowledge.documents,
    content_hash text NOT NULL,
    size_bytes bigint NOT NULL,
    modified_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'discovered' CHECK (state IN
        ('discovered', 'parsed', 'chunked', 'embedded', 'published', 'quarantined',
         'superseded', 'erased')),
    discovered_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (document_id, content_hash)
);
CREATE INDEX document_versions_content_hash_idx ON knowledge.document_versions (content_hash);
ALTER TABLE knowledge.documents ADD FOREIGN KEY (current_version_id)
    REFERENCES knowledge.document_versions;
"""

TEXTS = """
CREATE TABLE knowledge.parses (
    parse_id uuid PRIMARY KEY,
    content_hash text NOT NULL,
    parser_version text NOT NULL,
    title text NOT NULL,
    author text NOT NULL,
    language text NOT NULL,
    media_type text NOT NULL,
    body text NOT NULL,
    blocks jsonb NOT NULL,
    problem_code text,
    problem_reason text,
    problem_advice text,
    elapsed_seconds double precision NOT NULL,
    parsed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (content_hash, parser_version)
);

CREATE TABLE knowledge.units (
    parse_id uuid NOT NULL REFERENCES knowledge.parses ON DELETE CASCADE,
    ordinal integer NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    anchor text NOT NULL,
    start_offset integer NOT NULL,
    end_offset integer NOT NULL,
    problem_code text,
    problem_reason text,
    problem_advice text,
    PRIMARY KEY (parse_id, ordinal)
);

CREATE TABLE knowledge.chunks (
    chunk_id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES knowledge.documents,
    text_hash text NOT NULL,
    body text NOT NULL,
    token_count integer NOT NULL
);
CREATE INDEX chunks_text_hash_idx ON knowledge.chunks (text_hash);
CREATE INDEX chunks_document_id_idx ON knowledge.chunks (document_id);

CREATE TABLE knowledge.chunkings (
    version_id uuid NOT NULL REFERENCES knowledge.document_versions,
    chunker_id text NOT NULL,
    parse_id uuid NOT NULL REFERENCES knowledge.parses,
    chunk_count integer NOT NULL,
    chunked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version_id, chunker_id)
);

CREATE TABLE knowledge.version_chunks (
    version_id uuid NOT NULL,
    chunker_id text NOT NULL,
    ordinal integer NOT NULL,
    chunk_id uuid NOT NULL REFERENCES knowledge.chunks,
    start_offset integer NOT NULL,
    end_offset integer NOT NULL,
    unit_ordinal integer NOT NULL,
    anchor text NOT NULL,
    section_path jsonb NOT NULL,
    PRIMARY KEY (version_id, chunker_id, ordinal),
    FOREIGN KEY (version_id, chunker_id) REFERENCES knowledge.chunkings ON DELETE CASCADE
);
CREATE INDEX version_chunks_chunk_id_idx ON knowledge.version_chunks (chunk_id);

CREATE TABLE knowledge.embeddings (
    text_hash text NOT NULL,
    model_id text NOT NULL,
    vector halfvec NOT NULL,
    embedded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, text_hash)
);

CREATE TABLE knowledge.quarantine (
    quarantine_id uuid PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    document_id uuid NOT NULL REFERENCES knowledge.documents,
    version_id uuid NOT NULL REFERENCES knowledge.document_versions,
    unit text NOT NULL DEFAULT '',
    stage text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    advice text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    cleared_at timestamptz
);
CREATE INDEX quarantine_source_idx ON knowledge.quarantine (source_id) WHERE cleared_at IS NULL;
"""

INDEXES = """
CREATE TABLE knowledge.index_generations (
    generation_id text PRIMARY KEY,
    settings jsonb NOT NULL,
    model_id text NOT NULL,
    dimension integer NOT NULL,
    state text NOT NULL DEFAULT 'building'
        CHECK (state IN ('building', 'live', 'standby', 'retired')),
    entry_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz
);
CREATE UNIQUE INDEX index_generations_live_key ON knowledge.index_generations (state)
    WHERE state = 'live';

CREATE TABLE knowledge.index_entries (
    generation_id text NOT NULL REFERENCES knowledge.index_generations,
    chunk_id uuid NOT NULL,
    document_id uuid NOT NULL,
    source_id uuid NOT NULL,
    tenant_id text NOT NULL,
    language text NOT NULL,
    tags text[] NOT NULL,
    modified_at timestamptz NOT NULL,
    dense halfvec NOT NULL,
    terms sparsevec NOT NULL,
    term_ids integer[] NOT NULL,
    is_published boolean NOT NULL DEFAULT false,
    is_in_qdrant boolean NOT NULL DEFAULT false,
    PRIMARY KEY (generation_id, chunk_id)
) PARTITION BY LIST (generation_id);
CREATE INDEX index_entries_source_idx ON knowledge.index_entries (generation_id, source_id)
    WHERE NOT is_published OR NOT is_in_qdrant;
CREATE INDEX index_entries_document_id_idx ON knowledge.index_entries (document_id);

CREATE TABLE knowledge.index_removals (
    generation_id text NOT NULL REFERENCES knowledge.index_generations,
    chunk_id uuid NOT NULL,
    PRIMARY KEY (generation_id, chunk_id)
);
COMMENT ON TABLE knowledge.index_removals IS 'Withdrawn chunks that Qdrant must still drop.';

CREATE TABLE knowledge.term_statistics (
    generation_id text NOT NULL REFERENCES knowledge.index_generations,
    term_id integer NOT NULL,
    document_frequency integer NOT NULL,
    PRIMARY KEY (generation_id, term_id)
);

CREATE FUNCTION knowledge.count_added_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO knowledge.term_statistics AS known
    SELECT generation_id, term_id, count(*)
    FROM added, unnest(term_ids) AS term_id
    GROUP BY generation_id, term_id ORDER BY generation_id, term_id
    ON CONFLICT (generation_id, term_id)
        DO UPDATE SET document_frequency = known.document_frequency + excluded.document_frequency;
    UPDATE knowledge.index_generations AS generation SET entry_count = entry_count + entries
    FROM (SELECT generation_id, count(*) AS entries FROM added GROUP BY generation_id) AS sums
    WHERE generation.generation_id = sums.generation_id;
    RETURN NULL;
END $$;

CREATE FUNCTION knowledge.count_removed_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE knowledge.term_statistics AS known
    SET document_frequency = known.document_frequency - gone.entries
    FROM (SELECT generation_id, term_id, count(*) AS entries
          FROM removed, unnest(term_ids) AS term_id GROUP BY generation_id, term_id) AS gone
    WHERE known.generation_id = gone.generation_id AND known.term_id = gone.term_id;
    DELETE FROM knowledge.term_statistics AS known
    USING (SELECT DISTINCT generation_id, term_id FROM removed, unnest(term_ids) AS term_id) AS gone
    WHERE known.generation_id = gone.generation_id AND known.term_id = gone.term_id
        AND known.document_frequency = 0;
    UPDATE knowledge.index_generations AS generation SET entry_count = entry_count - entries
    FROM (SELECT generation_id, count(*) AS entries FROM removed GROUP BY generation_id) AS sums
    WHERE generation.generation_id = sums.generation_id;
    RETURN NULL;
END $$;

CREATE TRIGGER index_entries_added AFTER INSERT ON knowledge.index_entries
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION knowledge.count_added_terms();
CREATE TRIGGER index_entries_removed AFTER DELETE ON knowledge.index_entries
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION knowledge.count_removed_terms();

CREATE TABLE knowledge.publications (
    generation_id text NOT NULL REFERENCES knowledge.index_generations,
    document_id uuid NOT NULL REFERENCES knowledge.documents,
    version_id uuid NOT NULL REFERENCES knowledge.document_versions,
    chunker_id text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz
);
CREATE UNIQUE INDEX publications_current_key ON knowledge.publications (generation_id, document_id)
    WHERE withdrawn_at IS NULL;
CREATE INDEX publications_version_id_idx ON knowledge.publications (version_id);
"""

MEASURES = """
CREATE TABLE knowledge.labelled_questions (
    question_id uuid PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    question text NOT NULL,
    path text NOT NULL,
    phrase text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT ''
);

CREATE TABLE knowledge.retrieval_scores (
    retrieval_score_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    generation_id text NOT NULL REFERENCES knowledge.index_generations,
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    measured_at timestamptz NOT NULL DEFAULT now(),
    question_count integer NOT NULL,
    ndcg_at_10 double precision NOT NULL,
    mrr_at_10 double precision NOT NULL,
    recall_at_10 double precision NOT NULL,
    is_published boolean NOT NULL DEFAULT false
);

CREATE TABLE knowledge.check_results (
    check_result_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES knowledge.sources,
    name text NOT NULL,
    is_passed boolean NOT NULL,
    description text NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX check_results_source_idx ON knowledge.check_results (source_id, name, checked_at);

CREATE TABLE insights.stage_runs (
    stage_run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset text NOT NULL,
    source_id uuid REFERENCES knowledge.sources,
    run_id text NOT NULL DEFAULT '',
    finished_at timestamptz NOT NULL DEFAULT now(),
    elapsed_seconds double precision NOT NULL,
    model_seconds double precision NOT NULL DEFAULT 0,
    row_count bigint NOT NULL,
    token_count bigint NOT NULL DEFAULT 0,
    cost_usd double precision NOT NULL DEFAULT 0
);

CREATE TABLE insights.query_events (
    query_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    question text NOT NULL,
    generation_id text,
    answer_model text NOT NULL,
    is_answered boolean NOT NULL,
    citation_count integer NOT NULL,
    elapsed_ms double precision NOT NULL,
    token_count bigint NOT NULL DEFAULT 0,
    cost_usd double precision NOT NULL DEFAULT 0
);

CREATE TABLE insights.query_event_chunks (
    query_event_id bigint NOT NULL REFERENCES insights.query_events ON DELETE CASCADE,
    number integer NOT NULL,
    chunk_id uuid NOT NULL,
    version_id uuid NOT NULL,
    quote text NOT NULL,
    PRIMARY KEY (query_event_id, number)
);
"""


def upgrade() -> None:
    for script in (SOURCES, TEXTS, INDEXES, MEASURES):
        op.execute(script)
