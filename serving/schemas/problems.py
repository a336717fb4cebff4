"""The one body of every error: problem details as RFC 9457 describes them."""

from datetime import datetime

from pydantic import Field

from serving.schemas.base import ResponseBody, with_example


class FieldProblem(ResponseBody):
    """What is wrong with one field of a request."""

    field: str = Field(description='Where it is, such as "body.question".')
    message: str = Field(description="What it should be.")


class Problem(ResponseBody):
    """Why a request failed and what to do. `code` is stable; clients branch on it."""

    model_config = with_example(
        {
            "type": "urn:alexandria:problem:not_found",
            "title": "Not found",
            "status": 404,
            "detail": "No document 00000000-0000-0000-0000-000000000000.",
            "instance": "/api/v2/documents/00000000-0000-0000-0000-000000000000",
            "code": "not_found",
            "timestamp": "2026-01-31T12:00:00Z",
            "request_id": "3f2b8c1e9d7a4f60b5c2d1e0f9a8b7c6",
            "message": "No document 00000000-0000-0000-0000-000000000000.",
            "fallback_used": False,
            "retry_after": None,
            "errors": [],
        }
    )

    type: str = Field(description="Names the kind of problem.")
    title: str = Field(description="The kind of problem in words, the same every time.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened this time and what to do.")
    instance: str = Field(description="Path of the request.")
    code: str = Field(description="Stable short name of the problem.")
    timestamp: datetime = Field(description="When it happened, in UTC.")
    request_id: str = Field(description="Tells the operator which request it was.")
    message: str = Field(description="The same as `detail`.")
    fallback_used: bool = Field(
        description="Whether a lesser way was tried before this error was answered."
    )
    retry_after: int | None = Field(
        description="Seconds after which trying again may work; null where it will not."
    )
    errors: list[FieldProblem] = Field(description="Fields that are wrong; empty otherwise.")
