"""Accounts, sessions, keys, settings and the audit log."""
