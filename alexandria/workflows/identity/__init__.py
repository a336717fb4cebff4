"""Accounts, sessions and keys; who asks, and what their database session may do."""
