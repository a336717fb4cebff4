"""Messages and mailboxes: what was written, to whom, and the files that came along."""
