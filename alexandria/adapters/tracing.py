"""OpenTelemetry: spans from a route down to its queries and models. Off, they cost nearly nothing.

Blocks are marked with `span` wherever they are; `install_tracing` decides whether anything
comes of it. Names and attributes of spans are ours: no text of a document, no parameter of a
query and no message of an error becomes part of one.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Protocol, Self

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from alexandria.settings import Settings

SERVICE: Final = "alexandria"
Attribute = str | bool | int | float
_PROPAGATOR = TraceContextTextMapPropagator()
_PARENT, _STATE = b"traceparent", b"tracestate"


class Span(Protocol):
    """What a block may tell of itself."""

    def rename(self, name: str) -> None:
        """Call it by what is known only now, such as its route."""
        ...

    def note(self, **attributes: Attribute) -> None:
        """Add to what is known of it."""
        ...


class _NoSpan:
    """What a block gets while tracing is off: one object for all of them."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def rename(self, name: str) -> None:
        """Nothing is kept."""

    def note(self, **attributes: Attribute) -> None:
        """Nothing is kept."""


class _OpenSpan:
    """A span while its block runs; an error in the block marks it, by the class alone."""

    __slots__ = ("_is_current", "_span", "_token")

    def __init__(
        self,
        tracer: trace.Tracer,
        name: str,
        given: dict[str, Attribute],
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
        *,
        is_current: bool,
    ) -> None:
        self._is_current = is_current
        self._span = tracer.start_span(
            name, kind=kind, attributes=given, record_exception=False, set_status_on_exception=False
        )

    def __enter__(self) -> Self:
        if self._is_current:
            self._token = attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        if self._is_current:
            detach(self._token)
        if kind is not None and issubclass(kind, Exception):
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(trace.StatusCode.ERROR)
        self._span.end()

    def rename(self, name: str) -> None:
        """Call it by what is known only now."""
        self._span.update_name(name)

    def note(self, **attributes: Attribute) -> None:
        """Add to what is known of it."""
        self._span.set_attributes(attributes)


class _Continued:
    """A block whose spans belong to the trace of whoever called."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = attach(self._context)

    def __exit__(self, *_: object) -> None:
        detach(self._token)


class _Installed:
    """The one tracer of the process, while there is one."""

    tracer: trace.Tracer | None = None


_NOTHING: Final = _NoSpan()


def install_tracing(settings: Settings) -> Callable[[], None]:
    """Send spans where the settings say; returns what sends the rest and ends it.

    The SDK is imported only if there is somewhere to send to. An OTLP collector's address comes
    from `OTEL_EXPORTER_OTLP_ENDPOINT`, as the exporter itself reads it.
    """
    if settings.trace_exporter == "none":
        return _do_nothing
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SpanExporter,
    )

    exporter: SpanExporter
    if settings.trace_exporter == "console":
        exporter = ConsoleSpanExporter(out=sys.stderr)
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter()
    provider = TracerProvider(
        resource=Resource.create({"service.name": SERVICE}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer(SERVICE)
    _Installed.tracer = tracer

    def shut_down() -> None:
        if _Installed.tracer is tracer:
            _Installed.tracer = None
        provider.shutdown()

    return shut_down


def span(name: str, **attributes: Attribute) -> AbstractContextManager[Span]:
    """A block as a span, the parent of every span inside.

    Args:
        name: Of few kinds: a route, a query, a model; never what a client sent.
        attributes: What is known of it.
    """
    tracer = _Installed.tracer
    if tracer is None:
        return _NOTHING
    return _OpenSpan(tracer, name, attributes, is_current=True)


def request_span(name: str) -> AbstractContextManager[Span]:
    """A span around the serving of one request."""
    tracer = _Installed.tracer
    if tracer is None:
        return _NOTHING
    return _OpenSpan(tracer, name, {}, trace.SpanKind.SERVER, is_current=True)


def lasting_span(name: str, **attributes: Attribute) -> AbstractContextManager[Span]:
    """A span around a block that yields: a generator may go on in another thread.

    Spans inside belong to whatever was current where it began.
    """
    tracer = _Installed.tracer
    if tracer is None:
        return _NOTHING
    return _OpenSpan(tracer, name, attributes, is_current=False)


def continue_trace(headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[object]:
    """A block that belongs to the trace its request names in `traceparent` (W3C), if any.

    Works without an exporter too: then the logs name the caller's trace.

    Args:
        headers: As ASGI gives them: names in lower case.
    """
    parent = state = None
    for name, value in headers:
        if name == _PARENT:
            parent = value
        elif name == _STATE:
            state = value
    if parent is None:
        return _NOTHING
    carrier = {"traceparent": parent.decode("latin-1")}
    if state is not None:
        carrier["tracestate"] = state.decode("latin-1")
    return _Continued(_PROPAGATOR.extract(carrier, context=Context()))


def current_trace() -> tuple[str, str] | None:
    """The trace and the span that this code runs in, both hexadecimal; None outside of one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _do_nothing() -> None:
    return
