"""What is shown to everybody of parts that are down, and what only the log is told."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest

from alexandria.adapters.blobs import BlobStore
from alexandria.workflows.operating.health import BLOBS_AWAY, PartName, check_health
from alexandria.workflows.workspace import Workspace

PLACE = "/mnt/shelf-of-originals"


class _UnmountedFiles(fsspec.AbstractFileSystem):
    """A place that was there once."""

    protocol = "unmounted"

    def exists(self, path: str, **_options: Any) -> bool:
        raise OSError(5, "Input/output error", f"{PLACE}/{path}")


@pytest.fixture
def unmounted() -> BlobStore:
    """A blob store at a place that does not answer."""
    fsspec.register_implementation("unmounted", _UnmountedFiles, clobber=True)
    return BlobStore("unmounted://originals")


def test_a_blob_store_that_is_away_is_told_of_without_its_place(
    workspace: Workspace, unmounted: BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = check_health(replace(workspace, blobs=unmounted))
    part = next(one for one in found if one.name == PartName.BLOBS)
    assert (part.state, part.is_required, part.detail) == ("down", False, BLOBS_AWAY)
    assert PLACE in caplog.text


def test_a_model_that_is_missing_is_told_of_without_its_folder(
    workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    changes = {"embedding_model": "never-exported", "model_folder": tmp_path}
    settings = workspace.settings.model_copy(update=changes)
    with caplog.at_level(logging.WARNING):
        found = check_health(replace(workspace, settings=settings, _embedders={}))
    part = next(one for one in found if one.name == PartName.EMBEDDING_MODEL)
    assert (part.state, part.is_required) == ("down", True)
    assert "make setup" in part.detail
    assert str(tmp_path) not in part.detail
    assert str(tmp_path) in caplog.text
