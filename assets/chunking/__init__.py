"""Chunking: documents as text with structure, and the chunks they are cut into."""
