"""Requests to a Qdrant server: which failures pass, how often to ask again, what to tell.

A refused connection, a timeout or an overloaded server is asked again with growing pauses
and becomes `StoreUnavailableError` in the end. Any other refusal is final at once.
"""

from collections.abc import Callable
from typing import TypeVar

from alexandria.errors import (
    AlexandriaError,
    ConfigurationError,
    ConflictError,
    IntegrityError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
)

ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
"""Pauses grow from the first to the longest, with jitter: about 2 s in all."""

_REFUSALS: dict[int, tuple[type[AlexandriaError], str]] = {
    401: (ConfigurationError, "Qdrant refused the API key; check the setting"),
    403: (ConfigurationError, "The Qdrant API key may not do this; check its rights"),
    404: (NotFoundError, "The Qdrant collection is gone; rebuild the generation"),
    408: (StoreUnavailableError, "Qdrant took too long; try again in a moment"),
    409: (ConflictError, "The Qdrant collection exists already"),
    429: (StoreUnavailableError, "Qdrant is overloaded; try again in a moment"),
    500: (StoreUnavailableError, "Qdrant failed; see its log and try again"),
    502: (StoreUnavailableError, "Qdrant did not answer; try again in a moment"),
    503: (StoreUnavailableError, "Qdrant is starting or overloaded; try again in a moment"),
    504: (StoreUnavailableError, "Qdrant took too long; try again in a moment"),
}

Answer = TypeVar("Answer")


def ask(request: Callable[[], Answer], attempts: int = ATTEMPTS) -> Answer:
    """Send one request, again while the trouble looks temporary.

    Args:
        request: A call of the client that may be made more than once.
        attempts: How often at most.

    Raises:
        StoreUnavailableError: No answer after so many attempts.
        ConfigurationError: The key is refused.
        NotFoundError: The collection is not there.
        ConflictError: The collection exists already.
        InvalidInputError: The server refused the request itself.
        IntegrityError: The answer does not have the form of this version.
    """
    from tenacity import (
        Retrying,
        retry_if_exception_type,
        stop_after_attempt,
        wait_exponential_jitter,
    )

    trying = Retrying(
        retry=retry_if_exception_type(StoreUnavailableError),
        stop=stop_after_attempt(attempts),
        wait=wait_exponential_jitter(FIRST_PAUSE_S, LONGEST_PAUSE_S, jitter=FIRST_PAUSE_S),
        reraise=True,
    )
    return trying(lambda: _translated(request))


def _translated(request: Callable[[], Answer]) -> Answer:
    """Send one request once; the client's exceptions become ours."""
    from httpx import TransportError
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    try:
        return request()
    except ResponseHandlingException as error:
        if isinstance(error.source, TransportError):
            raise StoreUnavailableError(f"Qdrant did not answer: {error.source}") from error
        raise IntegrityError(f"Qdrant gave an answer of another form: {error.source}") from error
    except ResourceExhaustedResponse as error:
        raise StoreUnavailableError(_REFUSALS[429][1]) from error
    except UnexpectedResponse as error:
        raise _refusal(error.status_code or 0, error) from error


def _refusal(status: int, error: Exception) -> AlexandriaError:
    kind, advice = _REFUSALS.get(status, (InvalidInputError, "Qdrant refused the request"))
    return kind(f"{advice} ({error})")
