"""Embedding: texts as vectors, and the two indexes that hold them."""
