"""Ingestion: what a source holds, and the versions of its documents."""
