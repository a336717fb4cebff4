-- A small library at rest: `manuals` with a document shown, one that waits and one deleted;
-- `notes` with a document nobody could read; `attic`, removed. Three questions were asked.
INSERT INTO knowledge.sources
    (source_id, tenant_id, name, kind, location, module, tags, created_at, synced_at, removed_at)
VALUES
    ('00000000-0000-0000-0000-0000000000a1', 'default', 'manuals', 'folder', '/manuals', 'library',
     '{lamps,"for, repairs"}', '2026-01-01 08:00+00', now() - interval '2 hours', NULL),
    ('00000000-0000-0000-0000-0000000000a2', 'default', 'notes', 'folder', '/notes', 'lms',
     '{}', '2026-01-01 08:00+00', NULL, NULL),
    ('00000000-0000-0000-0000-0000000000a3', 'default', 'attic', 'folder', '/attic', 'library',
     '{}', '2026-01-01 08:00+00', NULL, '2026-01-02 08:00+00');

INSERT INTO knowledge.documents
    (document_id, source_id, tenant_id, path, created_at, deleted_at,
     access_id)
VALUES
    ('00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000a1', 'default',
     'lamp.pdf', '2026-01-01 23:59+00', NULL, knowledge.access_list('default', '{everyone}')),
    ('00000000-0000-0000-0000-0000000000d2', '00000000-0000-0000-0000-0000000000a1', 'default',
     'lens.pdf', '2026-01-02 00:00+00', NULL, knowledge.access_list('default', '{everyone}')),
    ('00000000-0000-0000-0000-0000000000d3', '00000000-0000-0000-0000-0000000000a1', 'default',
     'oil.pdf', '2026-01-01 09:00+00', '2026-01-03 09:00+00', knowledge.access_list('default', '{everyone}')),
    ('00000000-0000-0000-0000-0000000000d4', '00000000-0000-0000-0000-0000000000a2', 'default',
     'locked.docx', '2026-01-02 09:00+00', NULL, knowledge.access_list('default', '{everyone}'));

INSERT INTO knowledge.document_versions
    (version_id, document_id, content_hash, size_bytes, modified_at, state, discovered_at)
VALUES
    ('00000000-0000-0000-0000-0000000000f1', '00000000-0000-0000-0000-0000000000d1', 'lamp', 900,
     '2025-12-01 09:00+00', 'published', '2026-01-01 23:59+00'),
    ('00000000-0000-0000-0000-0000000000f2', '00000000-0000-0000-0000-0000000000d2', 'lens', 800,
     '2025-12-01 09:00+00', 'parsed', '2026-01-02 00:00+00'),
    ('00000000-0000-0000-0000-0000000000f3', '00000000-0000-0000-0000-0000000000d3', 'oil', 700,
     '2025-12-01 09:00+00', 'superseded', '2026-01-01 09:00+00'),
    ('00000000-0000-0000-0000-0000000000f4', '00000000-0000-0000-0000-0000000000d4', 'locked', 600,
     '2025-12-01 09:00+00', 'quarantined', '2026-01-02 09:00+00');

UPDATE knowledge.documents AS document SET current_version_id = version.version_id
FROM knowledge.document_versions AS version
WHERE version.document_id = document.document_id AND document.deleted_at IS NULL;

INSERT INTO knowledge.parses
    (parse_id, content_hash, parser_version, title, author, language, media_type, body, blocks,
     problem_code, elapsed_seconds)
VALUES
    ('00000000-0000-0000-0000-0000000000e1', 'lamp', '1', 'The Lamp', 'A. Kell', 'en',
     'application/pdf', 'two pages of text', '[]', NULL, 0.5),
    ('00000000-0000-0000-0000-0000000000e2', 'lens', '1', 'The Lens', '', 'en',
     'application/pdf', 'text', '[]', NULL, 0.25),
    ('00000000-0000-0000-0000-0000000000e3', 'oil', '1', 'Oil', '', 'en',
     'application/pdf', 'text', '[]', NULL, 0.25),
    ('00000000-0000-0000-0000-0000000000e4', 'locked', '1', '', '', 'und',
     'application/msword', '', '[]', 'password_protected', 0.125);

INSERT INTO knowledge.units
    (parse_id, ordinal, kind, label, anchor, start_offset, end_offset, problem_code)
VALUES
    ('00000000-0000-0000-0000-0000000000e1', 0, 'page', 'Page 1', 'page=1', 0, 10, NULL),
    ('00000000-0000-0000-0000-0000000000e1', 1, 'page', 'Page 2', 'page=2', 10, 17, NULL),
    ('00000000-0000-0000-0000-0000000000e1', 2, 'page', 'Page 3', 'page=3', 17, 17, 'no_text_layer'),
    ('00000000-0000-0000-0000-0000000000e2', 0, 'page', 'Page 1', 'page=1', 0, 4, NULL);

INSERT INTO knowledge.chunks (chunk_id, document_id, text_hash, body, token_count) VALUES
    ('00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000d1', '1', 'two', 30),
    ('00000000-0000-0000-0000-0000000000c2', '00000000-0000-0000-0000-0000000000d1', '2', 'of', 30),
    ('00000000-0000-0000-0000-0000000000c3', '00000000-0000-0000-0000-0000000000d3', '3', 'text', 20);

INSERT INTO knowledge.chunkings (version_id, chunker_id, parse_id, chunk_count) VALUES
    ('00000000-0000-0000-0000-0000000000f1', 'plain', '00000000-0000-0000-0000-0000000000e1', 2),
    ('00000000-0000-0000-0000-0000000000f3', 'plain', '00000000-0000-0000-0000-0000000000e3', 1);

INSERT INTO knowledge.version_chunks
    (version_id, chunker_id, ordinal, chunk_id, start_offset, end_offset, unit_ordinal, anchor,
     section_path)
VALUES
    ('00000000-0000-0000-0000-0000000000f1', 'plain', 0, '00000000-0000-0000-0000-0000000000c1',
     0, 10, 0, 'page=1', '[]'),
    ('00000000-0000-0000-0000-0000000000f1', 'plain', 1, '00000000-0000-0000-0000-0000000000c2',
     10, 17, 1, 'page=2', '[]'),
    ('00000000-0000-0000-0000-0000000000f3', 'plain', 0, '00000000-0000-0000-0000-0000000000c3',
     0, 4, 0, 'page=1', '[]');

INSERT INTO knowledge.quarantine
    (quarantine_id, source_id, document_id, version_id, unit, stage, code, reason, advice)
VALUES
    ('00000000-0000-0000-0000-000000000091', '00000000-0000-0000-0000-0000000000a1',
     '00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000f1', 'Page 3',
     'parsed_documents', 'no_text_layer', 'The page is a picture.', 'Run text recognition.'),
    ('00000000-0000-0000-0000-000000000092', '00000000-0000-0000-0000-0000000000a2',
     '00000000-0000-0000-0000-0000000000d4', '00000000-0000-0000-0000-0000000000f4', '',
     'parsed_documents', 'password_protected', 'The file is locked.', 'Unlock it.');

INSERT INTO knowledge.index_generations (generation_id, settings, model_id, dimension, state)
VALUES ('now', '{}', 'model', 384, 'live'), ('next', '{}', 'model', 384, 'building');

INSERT INTO knowledge.publications
    (generation_id, document_id, version_id, chunker_id, published_at, withdrawn_at)
VALUES
    ('now', '00000000-0000-0000-0000-0000000000d1', '00000000-0000-0000-0000-0000000000f1',
     'plain', '2026-01-02 01:59+00', NULL),
    ('now', '00000000-0000-0000-0000-0000000000d3', '00000000-0000-0000-0000-0000000000f3',
     'plain', '2026-01-01 10:00+00', '2026-01-03 09:00+00');

INSERT INTO insights.stage_runs
    (asset, source_id, finished_at, elapsed_seconds, model_seconds, row_count, token_count, cost_usd)
VALUES
    ('embedding/chunk_embeddings', '00000000-0000-0000-0000-0000000000a1', '2026-01-01 10:00+00',
     4, 2, 1, 20, 0.5),
    ('embedding/chunk_embeddings', '00000000-0000-0000-0000-0000000000a1', '2026-01-02 01:00+00',
     4, 2, 2, 60, 1.5),
    ('ingestion/document_versions', '00000000-0000-0000-0000-0000000000a2', '2026-01-02 09:00+00',
     1, 0, 1, 0, 0);

INSERT INTO insights.query_events
    (tenant_id, asked_at, question, generation_id, answer_model, is_answered, citation_count,
     elapsed_ms, token_count, cost_usd)
VALUES
    ('default', '2026-01-03 10:00+00', 'How is the lamp lit?', 'now', 'extractive', true, 2, 40, 0, 0),
    ('default', '2026-01-03 11:00+00', 'Who built it?', 'now', 'extractive', false, 0, 20, 0, 0),
    ('default', '2026-01-04 11:00+00', 'Where is the oil?', 'now', 'extractive', true, 1, 60, 0, 0);

INSERT INTO insights.usage_events (tenant_id, kind, occurred_at)
VALUES ('default', 'user_action', '1900-01-01 00:00+00'), ('default', 'user_action', now());

INSERT INTO insights.query_event_chunks (query_event_id, number, chunk_id, version_id, quote)
VALUES
    (1, 1, '00000000-0000-0000-0000-0000000000c1', '00000000-0000-0000-0000-0000000000f1', 'two'),
    (1, 2, '00000000-0000-0000-0000-0000000000c2', '00000000-0000-0000-0000-0000000000f1', 'of'),
    (3, 1, '00000000-0000-0000-0000-0000000000c3', '00000000-0000-0000-0000-0000000000f3', 'text');
