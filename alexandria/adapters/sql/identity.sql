-- name: act_for
-- Make the rest of the transaction work in a role and for a principal.
SELECT set_config(key, value, true) FROM jsonb_each_text(%(facts)s);

-- name: add_tenant
INSERT INTO identity.tenants (tenant_id) VALUES (%(tenant_id)s) ON CONFLICT DO NOTHING;

-- name: add_user
-- No row comes back where somebody has the address or the username already.
INSERT INTO identity.users
    (tenant_id, email, username, full_name, password_hash, role, groups, is_email_proved)
VALUES (%(tenant_id)s, %(email)s, %(username)s, %(full_name)s, %(password_hash)s, %(role)s,
    %(groups)s, %(is_email_proved)s)
ON CONFLICT DO NOTHING
RETURNING user_id::text, tenant_id, email, username, full_name, role, groups, is_active,
    is_email_proved, created_at, last_login_at;

-- name: find_account
-- Somebody by address or username, with what proves who they are.
SELECT user_id::text, tenant_id, email, password_hash, is_active FROM identity.users
WHERE email = %(name)s OR username = %(name)s;

-- name: find_account_in_tenant
SELECT user_id::text, tenant_id, is_active, is_email_proved
FROM identity.users WHERE email = %(email)s FOR NO KEY UPDATE;

-- name: prove_email
UPDATE identity.users SET is_email_proved = true, updated_at = now()
WHERE user_id = %(user_id)s AND NOT is_email_proved;

-- name: find_external_account
SELECT person.user_id::text, person.tenant_id, person.email, person.is_active
FROM identity.external_identities AS link JOIN identity.users AS person USING (user_id)
WHERE link.issuer = %(issuer)s AND link.subject = %(subject)s;

-- name: link_one_at_a_time
-- First sign-ins wait for each other until they are done: two of one person make one account.
SELECT pg_advisory_xact_lock(hashtext('link_external_identity'));

-- name: link_external_identity
INSERT INTO identity.external_identities (issuer, subject, user_id, tenant_id)
VALUES (%(issuer)s, %(subject)s, %(user_id)s, %(tenant_id)s);

-- name: set_groups
-- As the provider told at sign-in.
UPDATE identity.users SET groups = %(groups)s, updated_at = now()
WHERE user_id = %(user_id)s AND groups <> %(groups)s::text[];

-- name: read_user
SELECT user_id::text, tenant_id, email, username, full_name, role, groups, is_active,
    is_email_proved, created_at, last_login_at
FROM identity.users WHERE user_id = %(user_id)s;

-- name: list_users
SELECT user_id::text, tenant_id, email, username, full_name, role, groups, is_active,
    is_email_proved, created_at, last_login_at
FROM identity.users WHERE tenant_id = %(tenant_id)s
ORDER BY email LIMIT %(limit)s OFFSET %(offset)s;

-- name: count_users
SELECT count(*) FROM identity.users WHERE tenant_id = %(tenant_id)s;

-- name: change_user
UPDATE identity.users
SET role = coalesce(%(role)s, role), groups = coalesce(%(groups)s::text[], groups),
    is_active = coalesce(%(is_active)s, is_active),
    is_email_proved = coalesce(%(is_email_proved)s, is_email_proved), updated_at = now()
WHERE user_id = %(user_id)s AND tenant_id = %(tenant_id)s
RETURNING user_id::text, tenant_id, email, username, full_name, role, groups, is_active,
    is_email_proved, created_at, last_login_at;

-- name: lock_administrators
-- The active administrators of a tenant; two changes cannot each take the other's last one.
SELECT user_id::text FROM identity.users
WHERE tenant_id = %(tenant_id)s AND role = 'admin' AND is_active FOR UPDATE;

-- name: set_password
UPDATE identity.users SET password_hash = %(password_hash)s, updated_at = now()
WHERE user_id = %(user_id)s;

-- name: replace_password
-- No row where it is another one by now.
UPDATE identity.users SET password_hash = %(password_hash)s, updated_at = now()
WHERE user_id = %(user_id)s AND password_hash = %(known_hash)s AND is_active;

-- name: set_full_name
UPDATE identity.users SET full_name = %(full_name)s, updated_at = now()
WHERE user_id = %(user_id)s;

-- name: mark_login
UPDATE identity.users SET last_login_at = now() WHERE user_id = %(user_id)s;

-- name: sign_in_lock
-- Seconds until a name may be tried again; no row when it may.
SELECT ceil(extract(epoch FROM locked_until - now()))::integer FROM identity.sign_in_failures
WHERE name_hash = %(name_hash)s AND locked_until > now();

-- name: count_failure
-- From the fifth failure on a name is locked, for half a minute first, twice as long each time,
-- a quarter of an hour at most. A day without failures forgets them.
INSERT INTO identity.sign_in_failures AS known (name_hash, failure_count)
VALUES (%(name_hash)s, 1)
ON CONFLICT (name_hash) DO UPDATE
SET failure_count = CASE WHEN known.failed_at < now() - interval '1 day' THEN 1
        ELSE known.failure_count + 1 END,
    failed_at = now(),
    locked_until = CASE WHEN known.failed_at >= now() - interval '1 day'
            AND known.failure_count >= 4
        THEN now() + least(interval '15 minutes',
            interval '30 seconds' * 2 ^ least(known.failure_count - 4, 10)) END;

-- name: forget_failures
DELETE FROM identity.sign_in_failures
WHERE name_hash = %(name_hash)s OR failed_at < now() - interval '1 day';

-- name: open_session
-- None where they were switched off, or their password was changed, since they proved it. What
-- does either later waits for this, and ends it.
INSERT INTO identity.sessions (user_id, tenant_id, method, ip_address, user_agent, ends_at)
SELECT user_id, tenant_id, %(method)s, %(ip_address)s, %(user_agent)s,
    now() + make_interval(days => %(days)s)
FROM identity.users WHERE user_id = %(user_id)s AND is_active
    AND (%(password_hash)s::text IS NULL OR password_hash = %(password_hash)s)
FOR NO KEY UPDATE
RETURNING session_id::text;

-- name: add_refresh_token
INSERT INTO identity.refresh_tokens (token_hash, session_id, tenant_id)
SELECT %(token_hash)s, session_id, tenant_id FROM identity.sessions
WHERE session_id = %(session_id)s;

-- name: spend_refresh_token
-- A token is good for one use, within its days.
UPDATE identity.refresh_tokens SET spent_at = now()
WHERE token_hash = %(token_hash)s AND spent_at IS NULL
    AND issued_at > now() - make_interval(days => %(days)s)
RETURNING session_id::text;

-- name: spent_session
-- The session of a token that was used before.
SELECT session.session_id::text, person.user_id::text, person.tenant_id, person.email
FROM identity.refresh_tokens AS token JOIN identity.sessions AS session USING (session_id)
JOIN identity.users AS person USING (user_id)
WHERE token.token_hash = %(token_hash)s AND token.spent_at IS NOT NULL;

-- name: touch_session
UPDATE identity.sessions SET refreshed_at = now() WHERE session_id = %(session_id)s;

-- name: forget_ended_sessions
DELETE FROM identity.sessions
WHERE ends_at < now() OR revoked_at < now() - interval '1 day'
    OR refreshed_at < now() - make_interval(days => %(days)s);

-- name: revoke_session
UPDATE identity.sessions SET revoked_at = now()
WHERE session_id = %(session_id)s AND revoked_at IS NULL;

-- name: revoke_own_session
UPDATE identity.sessions SET revoked_at = now()
WHERE session_id = %(session_id)s AND user_id = %(user_id)s AND revoked_at IS NULL;

-- name: revoke_sessions
-- All of somebody's, or all but one.
UPDATE identity.sessions SET revoked_at = now()
WHERE user_id = %(user_id)s AND revoked_at IS NULL
    AND session_id IS DISTINCT FROM %(except_id)s::uuid;

-- name: list_sessions
SELECT session_id::text, method, ip_address, user_agent, started_at, refreshed_at, ends_at
FROM identity.sessions
WHERE user_id = %(user_id)s AND revoked_at IS NULL AND ends_at > now()
ORDER BY refreshed_at DESC;

-- name: principal_of_session
-- Whom a session stands for, while it lasts and they are active.
SELECT person.user_id::text, person.tenant_id, person.email, person.role, person.groups,
    person.is_email_proved, NULL::text[] AS permissions, session.session_id::text
FROM identity.sessions AS session JOIN identity.users AS person USING (user_id)
WHERE session.session_id = %(session_id)s AND session.revoked_at IS NULL
    AND session.ends_at > now() AND person.is_active;

-- name: hold_session
-- A session of somebody's that lasts, and that nobody ends before the transaction does.
SELECT session.session_id::text
FROM identity.sessions AS session JOIN identity.users AS person USING (user_id)
WHERE session.session_id = %(session_id)s AND session.user_id = %(user_id)s
    AND session.revoked_at IS NULL AND session.ends_at > now() AND person.is_active
FOR SHARE OF session;

-- name: principal_of_key
SELECT person.user_id::text, person.tenant_id, person.email, person.role, person.groups,
    person.is_email_proved, key.permissions, '' AS session_id
FROM identity.api_keys AS key JOIN identity.users AS person USING (user_id)
WHERE key.key_hash = %(key_hash)s AND key.revoked_at IS NULL
    AND (key.expires_at IS NULL OR key.expires_at > now()) AND person.is_active;

-- name: lists_letting_in
-- The access lists of a tenant that name somebody.
SELECT access_id::text FROM knowledge.access_lists
WHERE tenant_id = %(tenant_id)s AND readers && %(names)s::text[] ORDER BY access_id;

-- name: mark_key_used
UPDATE identity.api_keys SET used_at = now()
WHERE key_hash = %(key_hash)s AND (used_at IS NULL OR used_at < now() - interval '1 minute');

-- name: add_api_key
INSERT INTO identity.api_keys
    (user_id, tenant_id, name, key_hash, hint, permissions, expires_at)
VALUES (%(user_id)s, %(tenant_id)s, %(name)s, %(key_hash)s, %(hint)s, %(permissions)s,
    %(expires_at)s)
RETURNING api_key_id::text, name, hint, permissions, created_at, expires_at, used_at;

-- name: list_api_keys
SELECT api_key_id::text, name, hint, permissions, created_at, expires_at, used_at
FROM identity.api_keys WHERE user_id = %(user_id)s AND revoked_at IS NULL ORDER BY created_at;

-- name: revoke_api_key
UPDATE identity.api_keys SET revoked_at = now()
WHERE api_key_id = %(api_key_id)s AND user_id = %(user_id)s AND revoked_at IS NULL;

-- name: revoke_keys
UPDATE identity.api_keys SET revoked_at = now() WHERE user_id = %(user_id)s AND revoked_at IS NULL;

-- name: revoke_keys_named
UPDATE identity.api_keys SET revoked_at = now()
WHERE user_id = %(user_id)s AND name = %(name)s AND revoked_at IS NULL;

-- name: use_keyring
-- No key is dropped before the transaction ends.
SELECT pg_advisory_xact_lock_shared(hashtext('keyring'));

-- name: lock_keyring
-- Until the transaction ends, nobody else encrypts or decrypts what is stored.
SELECT pg_advisory_xact_lock(hashtext('keyring'));

-- name: list_signing_keys
-- The newest first; those that are retired still verify what they signed.
SELECT key_id, private_key, retired_at FROM identity.signing_keys
WHERE retired_at IS NULL OR retired_at > now() - interval '2 hours'
ORDER BY retired_at IS NOT NULL, created_at DESC;

-- name: lock_signing_keys
LOCK TABLE identity.signing_keys IN SHARE ROW EXCLUSIVE MODE;

-- name: add_signing_key
INSERT INTO identity.signing_keys (key_id, private_key) VALUES (%(key_id)s, %(private_key)s);

-- name: retire_signing_keys
UPDATE identity.signing_keys SET retired_at = now()
WHERE retired_at IS NULL AND key_id <> %(key_id)s;

-- name: forget_signing_keys
DELETE FROM identity.signing_keys WHERE retired_at < now() - interval '2 hours';

-- name: rekey_signing_key
UPDATE identity.signing_keys SET private_key = %(private_key)s WHERE key_id = %(key_id)s;

-- name: list_settings
SELECT key, value, is_sensitive, description, updated_at FROM identity.settings
WHERE tenant_id = %(tenant_id)s ORDER BY key;

-- name: keep_setting
INSERT INTO identity.settings AS known (tenant_id, key, value, is_sensitive, description)
VALUES (%(tenant_id)s, %(key)s, %(value)s, %(is_sensitive)s, %(description)s)
ON CONFLICT (tenant_id, key) DO UPDATE
    SET value = excluded.value, is_sensitive = excluded.is_sensitive,
        description = excluded.description, updated_at = now();

-- name: delete_setting
DELETE FROM identity.settings WHERE tenant_id = %(tenant_id)s AND key = %(key)s;

-- name: sensitive_settings
-- Of every tenant, to be encrypted with another key.
SELECT tenant_id, key, value FROM identity.settings WHERE is_sensitive ORDER BY tenant_id, key;

-- name: rekey_setting
UPDATE identity.settings SET value = %(value)s WHERE tenant_id = %(tenant_id)s AND key = %(key)s;
