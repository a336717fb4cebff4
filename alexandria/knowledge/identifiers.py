"""Ids derived from content: the same input has the same id on every machine, always."""

import hashlib
import uuid

_NAMESPACE = uuid.UUID("6d1f3a52-0c3e-5f0e-9d5b-a1e8a9d71a01")


def hash_bytes(content: bytes) -> str:
    """SHA-256 of the content, 64 hexadecimal characters."""
    return hashlib.sha256(content).hexdigest()


def hash_text(text: str) -> str:
    """SHA-256 of the text in UTF-8, 64 hexadecimal characters."""
    return hash_bytes(text.encode("utf-8", "surrogatepass"))


def derive_id(kind: str, *parts: str) -> str:
    """An id for a thing of `kind` that is fully described by `parts`, as a UUID string.

    The parts are length-prefixed, so that no two lists of parts collide by joining.
    UUIDs because Qdrant accepts nothing else for a point.
    """
    name = kind + "".join(f"\x00{len(part)}:{part}" for part in parts)
    return str(uuid.uuid5(_NAMESPACE, hash_text(name)))
