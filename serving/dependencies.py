"""What routes are given."""

from typing import Annotated

from fastapi import Depends, Request

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.workspace import Workspace
from serving.filtering import resolve_filter
from serving.library import Library
from serving.metrics import Metrics
from serving.schemas.query import QueryRequest


def get_library(request: Request) -> Library:
    """The library of the app, open or not."""
    return request.app.state.library


def get_metrics(request: Request) -> Metrics:
    """The counters of the app."""
    return request.app.state.metrics


LibraryOfApp = Annotated[Library, Depends(get_library)]
MetricsOfApp = Annotated[Metrics, Depends(get_metrics)]


def get_workspace(library: LibraryOfApp) -> Workspace:
    """The open workspace.

    Raises:
        StoreUnavailableError: It is not open yet.
    """
    return library.workspace


OpenWorkspace = Annotated[Workspace, Depends(get_workspace)]


def get_query_filter(query: QueryRequest, workspace: OpenWorkspace) -> SearchFilter:
    """What a question may be answered from, resolved before an answer begins.

    Raises:
        InvalidInputError: It names a source or a document that is not there.
    """
    return resolve_filter(workspace, query.filters, query.selected_files)


QueryFilter = Annotated[SearchFilter, Depends(get_query_filter)]
