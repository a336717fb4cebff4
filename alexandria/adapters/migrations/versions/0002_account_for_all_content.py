"""Account for all content: images, attachments, languages, notes, near duplicates."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PARSES = """
ALTER TABLE knowledge.parses
    ADD notes jsonb NOT NULL DEFAULT '[]',
    ADD tools text NOT NULL DEFAULT '';
COMMENT ON COLUMN knowledge.parses.tools IS 'What was at hand to recognize pixels and sound.';
ALTER TABLE knowledge.units
    ADD language text NOT NULL DEFAULT 'und',
    ADD confidence real;

CREATE TABLE knowledge.attachments (
    parse_id uuid NOT NULL REFERENCES knowledge.parses ON DELETE CASCADE,
    ordinal integer NOT NULL,
    name text NOT NULL,
    content_hash text NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (parse_id, ordinal)
);
ALTER TABLE knowledge.source_files ADD container_path text;
COMMENT ON COLUMN knowledge.source_files.container_path IS
    'The file inside which this one lies, such as the mail it is attached to.';
CREATE INDEX source_files_container_path_idx ON knowledge.source_files (source_id, container_path)
    WHERE container_path IS NOT NULL;
"""

IMAGES = """
CREATE TABLE knowledge.images (
    parse_id uuid NOT NULL REFERENCES knowledge.parses ON DELETE CASCADE,
    ordinal integer NOT NULL,
    unit_ordinal integer NOT NULL,
    content_hash text NOT NULL,
    thumbnail_hash text NOT NULL,
    media_type text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    body text NOT NULL DEFAULT '',
    confidence real,
    description text NOT NULL DEFAULT '',
    PRIMARY KEY (parse_id, ordinal)
);
CREATE INDEX images_content_hash_idx ON knowledge.images (content_hash);

CREATE TABLE knowledge.image_embeddings (
    content_hash text NOT NULL,
    model_id text NOT NULL,
    vector halfvec NOT NULL,
    embedded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, content_hash)
);

CREATE TABLE knowledge.image_captions (
    content_hash text NOT NULL,
    model_id text NOT NULL,
    caption text NOT NULL,
    captioned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model_id, content_hash)
);
"""

COPIES = """
CREATE TABLE knowledge.signatures (
    parse_id uuid PRIMARY KEY REFERENCES knowledge.parses ON DELETE CASCADE,
    method text NOT NULL,
    shingle_count integer NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE knowledge.near_duplicates (
    document_id uuid PRIMARY KEY REFERENCES knowledge.documents,
    best_document_id uuid NOT NULL REFERENCES knowledge.documents,
    similarity real NOT NULL,
    method text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    CHECK (document_id <> best_document_id)
);
CREATE INDEX near_duplicates_best_idx ON knowledge.near_duplicates (best_document_id);
COMMENT ON TABLE knowledge.near_duplicates IS
    'Documents whose text another document of the tenant holds too, in a better copy.';
"""


def upgrade() -> None:
    for script in (PARSES, IMAGES, COPIES):
        op.execute(script)
