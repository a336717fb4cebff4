"""Every error Alexandria raises on purpose.

    AlexandriaError
    ├── TransientError                 trying again later may work; retried with backoff
    │   ├── StoreUnavailableError
    │   ├── StorageFullError
    │   ├── IndexLockedError
    │   ├── GatewayUnavailableError
    │   ├── RateLimitedError
    │   └── OverloadedError
    └── TerminalError                  the same input fails the same way; never retried
        ├── UnreadableError            a document cannot be read; it goes to quarantine
        │   ├── EmptyFileError
        │   ├── UnsupportedFormatError
        │   ├── CorruptFileError
        │   ├── PasswordProtectedError
        │   ├── NoTextLayerError
        │   ├── RecognitionFailedError
        │   ├── UndecodableTextError
        │   ├── FileTooLargeError
        │   ├── ArchiveLimitError
        │   ├── ReaderTimeoutError
        │   ├── ReaderMemoryError
        │   └── ReaderCrashedError
        ├── NotFoundError
        ├── ConflictError
        ├── InvalidInputError
        │   └── WeakPasswordError
        ├── UnauthenticatedError       nobody knows who asks
        │   └── SignInFailedError
        ├── ForbiddenError             who asks may not
        ├── ConfigurationError
        │   └── ModelMissingError
        └── IntegrityError             the stores disagree with the ledger

A class's first docstring line is its default message; `code` is stable and part of the
API. An `UnreadableError` also carries `advice`: what the owner of the file can do.
"""

import errno


class AlexandriaError(Exception):
    """Something went wrong."""

    code: str = "error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n")[0])

    @property
    def message(self) -> str:
        """What happened and what to do, in one or two sentences."""
        return str(self)


class TransientError(AlexandriaError):
    """A service did not answer; try again in a moment."""

    code = "transient"


class StoreUnavailableError(TransientError):
    """The database did not answer; it may be starting. Try again in a moment."""

    code = "store_unavailable"


class IndexLockedError(TransientError):
    """Another process holds the Qdrant index; wait for its run to end."""

    code = "index_locked"


class GatewayUnavailableError(TransientError):
    """No language model provider answered; the extractive model still works."""

    code = "gateway_unavailable"


class StorageFullError(TransientError):
    """There is no room left where files are kept; free some, then try again."""

    code = "storage_full"

    @staticmethod
    def explains(error: BaseException | None) -> bool:
        """Whether the system's error says so: a full disk, a quota, a limit on files."""
        numbers = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return isinstance(error, OSError) and error.errno in numbers


class RateLimitedError(TransientError):
    """Too many requests; wait as long as Retry-After says."""

    code = "rate_limited"

    def __init__(self, message: str | None = None, *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OverloadedError(TransientError):
    """Too many requests at once; try again in a moment."""

    code = "overloaded"


class TerminalError(AlexandriaError):
    """The request cannot succeed as it is."""

    code = "terminal"


class UnreadableError(TerminalError):
    """The document cannot be read."""

    code = "unreadable"
    advice = "Open the file in the program that made it, save it again and re-add it."

    def __init__(self, message: str | None = None, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.advice = advice or type(self).advice


class EmptyFileError(UnreadableError):
    """The file holds no bytes or nothing but white space."""

    code = "empty_file"
    advice = "Check that the copy or download finished, then re-add the file."


class UnsupportedFormatError(UnreadableError):
    """No reader for this kind of file."""

    code = "unsupported_format"
    advice = "Save it as PDF, DOCX, EPUB, HTML, Markdown or plain text and re-add it."


class CorruptFileError(UnreadableError):
    """The file is damaged: its content does not follow its own format."""

    code = "corrupt_file"


class PasswordProtectedError(UnreadableError):
    """The file is locked with a password."""

    code = "password_protected"
    advice = "Save a copy without a password and re-add it."


class NoTextLayerError(UnreadableError):
    """The text exists only as pixels or sound."""

    code = "no_text_layer"
    advice = "Run it through text or speech recognition and re-add the result."


class RecognitionFailedError(UnreadableError):
    """Text or speech recognition broke down on it."""

    code = "recognition_failed"
    advice = "Save the picture or recording in another format and re-add it."


class UndecodableTextError(UnreadableError):
    """The bytes are not text in any encoding that fits."""

    code = "undecodable_text"
    advice = "Save the file as UTF-8 and re-add it."


class FileTooLargeError(UnreadableError):
    """The file is larger than the limit."""

    code = "file_too_large"
    advice = "Split the file, or raise ALEXANDRIA_MAX_FILE_BYTES."


class ArchiveLimitError(UnreadableError):
    """The archive unpacks to more than the limits allow."""

    code = "archive_limit"
    advice = "Unpack it yourself, look at what is inside, and add the files you want."


class ReaderTimeoutError(UnreadableError):
    """Reading took longer than the limit, and was stopped."""

    code = "reader_timeout"
    advice = "Split the file, or raise ALEXANDRIA_READING_SECONDS."


class ReaderMemoryError(UnreadableError):
    """Reading needed more memory than the limit."""

    code = "reader_memory"
    advice = "Split the file, or raise ALEXANDRIA_READING_MEMORY_BYTES."


class ReaderCrashedError(UnreadableError):
    """The reader broke down on this file."""

    code = "reader_crashed"
    advice = "Open the file in the program that made it, save it again and re-add it."


class NotFoundError(TerminalError):
    """Nothing has that name or id."""

    code = "not_found"


class ConflictError(TerminalError):
    """It exists already, or another change got there first."""

    code = "conflict"


class InvalidInputError(TerminalError):
    """The input does not have the form asked for."""

    code = "invalid_input"


class WeakPasswordError(InvalidInputError):
    """The password is too easy to guess; take a longer one of unrelated words."""

    code = "weak_password"


class UnauthenticatedError(TerminalError):
    """Sign in first; send the access token or an API key as a bearer token."""

    code = "unauthenticated"


class SignInFailedError(UnauthenticatedError):
    """The name and the password do not belong together."""

    code = "sign_in_failed"


class ForbiddenError(TerminalError):
    """You may not do that; ask an administrator of your library."""

    code = "forbidden"


class ConfigurationError(TerminalError):
    """A setting is missing or contradicts another."""

    code = "configuration"


class ModelMissingError(ConfigurationError):
    """The embedding model is not installed; run `make setup`."""

    code = "model_missing"


class IntegrityError(TerminalError):
    """The stores disagree with the ledger; run `alexandria verify` for the list."""

    code = "integrity"
