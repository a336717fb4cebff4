"""What the health routes say."""

from typing import Literal

from pydantic import Field

from serving.schemas.base import ResponseBody, with_example

State = Literal["ok", "degraded", "down"]


class Liveness(ResponseBody):
    """The process answers."""

    model_config = with_example({"status": "ok"})

    status: Literal["ok"] = "ok"


class Part(ResponseBody):
    """One thing the service stands on."""

    model_config = with_example(
        {"name": "postgres", "state": "ok", "detail": "answers", "is_required": True}
    )

    name: str
    state: State
    detail: str = Field(description="What was seen and, if it is not well, what to do.")
    is_required: bool = Field(description="Whether the service is not ready without it.")


class Readiness(ResponseBody):
    """Whether questions can be answered now; not if a required part is down."""

    model_config = with_example(
        {
            "status": "ok",
            "parts": [
                {
                    "name": "postgres",
                    "state": "ok",
                    "detail": "answers",
                    "is_required": True,
                }
            ],
        }
    )

    status: State
    parts: list[Part]
