"""What the API logs: one JSON line for each event, with its request and without secrets.

Every line, whoever wrote it, has the same fields: timestamp, level, event, logger, and where
they are known request_id, user_id, tenant_id, trace_id and span_id. Each request ends in one
line `request`, which is written past the logging machinery because there are many.

`install_logs` is called where a process begins; importing this module changes nothing.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, cast

import orjson
from starlette.types import Scope

from alexandria.adapters.tracing import current_trace
from alexandria.settings import Settings
from serving.telemetry.metrics import method_of, route_template

REDACTED: Final = "[redacted]"
ACCESS: Final = "serving.access"
"""Logger of the lines `request`."""

_DEEPEST = 6
_LONGEST = 20_000
_LONGEST_ID = 36
"""A request's id that is longer may be a token that a client sent as one."""

_REPLACED = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")
_QUIET = ("alembic", "httpcore", "httpx", "LiteLLM", "openai", "urllib3")
"""Libraries that tell of every request they send, addresses with their parameters included."""

_SECRET_NAMES = re.compile(
    r"passw|passphrase|pwd$|secret|authorization|cookie|credential|api_?key|private_?key"
    r"|code_verifier|(^|_)tokens?$|token_?hash|key_?hash",
    re.IGNORECASE,
)
_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*-----|\Z)", re.DOTALL), ""),
    (re.compile(r"\b(bearer\s+)[\w.~+/=-]{16,}", re.IGNORECASE), r"\1"),
    (re.compile(r"\beyJ[\w-]{4,}\.[\w-]+(\.[\w-]*){0,3}"), ""),
    (re.compile(r"\balx_[\w-]{6,}"), ""),
    (re.compile(r"\bgAAAA[\w-]{20,}={0,2}"), ""),
    (re.compile(r"(?<![\w-])[\w-]{43}=(?!\w)"), ""),
    (re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"), r"\1"),
    (
        re.compile(
            r"(\b[\w-]{0,40}(?:passw(?:or)?d|passphrase|secret|authorization|cookie|api[_-]?key"
            r"|private[_-]?key|code_verifier|token)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\[redacted\])(?:(?:bearer|basic)\s+)?[^\s\"'&,;)}\]]+",
            re.IGNORECASE,
        ),
        r"\1",
    ),
)
"""What looks like a secret in a text, and what of it stays before the mark."""


_REQUEST: ContextVar[dict[str, str] | None] = ContextVar("request", default=None)
"""The fields of one request: one object for all its threads, so that each sees what is added."""


class _Installed:
    """How the lines of requests are written; as in production until something is installed."""

    threshold = logging.INFO
    is_json = True


def bind_request(
    *, request_id: str | None = None, user_id: str | None = None, tenant_id: str | None = None
) -> None:
    """Name the request in every line it logs from here on, whichever thread writes it.

    A `request_id` begins a new request; the other two add to the one that runs.
    """
    if request_id is not None:
        is_short = len(request_id) <= _LONGEST_ID
        _REQUEST.set({"request_id": request_id if is_short else redact(request_id)})
    known = _REQUEST.get()
    if known is None:
        known = {}
        _REQUEST.set(known)
    if user_id is not None:
        known["user_id"] = user_id
    if tenant_id is not None:
        known["tenant_id"] = tenant_id


def log_request(scope: Scope, status: int, elapsed: float) -> None:
    """Write the one line of a request that has ended.

    Args:
        scope: Of the request, after it was routed: the route's template is logged, not the path.
        status: Of the answer.
        elapsed: Seconds.
    """
    level = logging.ERROR if status >= 500 else logging.INFO
    if level < _Installed.threshold:
        return
    line: dict[str, Any] = {
        "timestamp": datetime.now(UTC),
        "level": "error" if status >= 500 else "info",
        "event": "request",
        "logger": ACCESS,
        "method": method_of(scope),
        "route": route_template(scope),
        "status": status,
        "duration_ms": round(1000 * elapsed, 3),
    }
    _add_request(line)
    with suppress(OSError, ValueError):  # a log that is closed or full must not fail the request
        _write_request(line)


def _write_request(line: dict[str, Any]) -> None:
    if _Installed.is_json:
        stream = sys.stderr.buffer
        stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))
        stream.flush()
    else:
        line["timestamp"] = line["timestamp"].isoformat()
        sys.stderr.write(f"{_console()(None, 'info', line)}\n")


def redact(text: str) -> str:
    """The text without what looks like a token, a key or a password."""
    for pattern, kept in _SECRETS:
        text = pattern.sub(kept + REDACTED, text)
    return text


def install_logs(settings: Settings) -> None:
    """Send every log line of this process to standard error, in one form.

    Takes the place of uvicorn's own handlers, and of its access log. Handlers that others put
    on the root logger stay. Calling it again replaces what it did before.
    """
    import structlog

    _Installed.threshold = logging.getLevelNamesMapping()[settings.log_level]
    _Installed.is_json = settings.log_format == "json"
    shared: list[Any] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    renderers: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if _Installed.is_json:
        renderers += [structlog.processors.format_exc_info, _without_secrets, _in_order, _as_json]
    else:
        renderers += [structlog.processors.format_exc_info, _without_secrets, _console()]
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=renderers)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _StandardError)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_Installed.threshold)
    _take_over()


def _take_over() -> None:
    """Let uvicorn's loggers write through the root, and keep talkative ones quiet."""
    for name in _REPLACED:
        logger = logging.getLogger(name)
        for old in list(logger.handlers):
            logger.removeHandler(old)
        logger.propagate = name != "uvicorn.access"
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, _Installed.threshold))


class _StandardError(logging.Handler):
    """Standard error as it is when a line is written, not as it was when logging began."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, whole."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except (OSError, TypeError, ValueError):
            self.handleError(record)


def _add_request(line: MutableMapping[str, Any]) -> None:
    known = _REQUEST.get()
    if known is not None:
        line.update(known)
    trace = current_trace()
    if trace is not None:
        line["trace_id"], line["span_id"] = trace


def _with_request(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Any:
    _add_request(line)
    return line


def _without_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Any:
    return {name: _cleaned(name, value, _DEEPEST) for name, value in line.items()}


def _cleaned(name: str, value: object, depth: int) -> object:
    """The value as it may be shown: no secrets by name or by look, plain types, not too long."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAMES.search(name):
        return REDACTED
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(key): _cleaned(str(key), item, depth - 1) for key, item in items}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_cleaned("", item, depth - 1) for item in cast("Sequence[object]", value)]
    text = value if isinstance(value, str) else repr(value)
    return redact(text[:_LONGEST])


def _in_order(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Any:
    """The fields that every line has come first."""
    first = {name: line[name] for name in ("timestamp", "level", "event", "logger") if name in line}
    return {**first, **line}


def _as_json(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> str:
    return orjson.dumps(line, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _console() -> Any:
    import structlog

    return structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
