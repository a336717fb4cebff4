-- name: take_hits
-- Take hits out of a key's window; a window that has ended begins anew. What is counted stays
-- at or below limit + amount, however often somebody asks.
INSERT INTO identity.rate_limits AS counted (key, hits, expires_at)
VALUES (%(key)s, %(amount)s, now() + %(window_seconds)s * interval '1 second')
ON CONFLICT (key) DO UPDATE SET
    hits = excluded.hits + CASE
        WHEN counted.expires_at > now() THEN least(counted.hits, %(limit)s) ELSE 0 END,
    expires_at = CASE
        WHEN counted.expires_at > now() THEN counted.expires_at ELSE excluded.expires_at END
RETURNING hits, extract(epoch FROM expires_at - now())::float8 AS seconds_left

-- name: remove_ended_windows
-- Rows that another process removes just now are left to it: two must not wait for each other.
DELETE FROM identity.rate_limits WHERE key IN (
    SELECT key FROM identity.rate_limits WHERE expires_at < now()
    LIMIT 10000 FOR UPDATE SKIP LOCKED
)
