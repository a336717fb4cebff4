"""No secret reaches a log: everything that the tests' own process and their servers logged.

One file takes every record of this process, and servers that tests start write their logs below
pytest's folder or beside the tests' database. At the end all of it is searched, for what looks
like a secret and for the secrets that tests handed out. What a test itself logs is not ours.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

OURS = ("alexandria", "assets", "pipelines", "serving")
LOG_SUFFIXES = {".log", ".err", ".out"}
TESTS = Path(__file__).parent

LOOKS: Mapping[str, re.Pattern[str]] = {
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    "a token or key of ours": re.compile(r"\balxr?_[\w-]{20,}"),
    "what the keyring encrypted": re.compile(r"\bgAAAA[\w-]{40,}"),
    "a key of the keyring": re.compile(
        r"(?<![\w/+=-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{43}=(?!\w)"
    ),
    "a private JSON Web Key": re.compile(r"""["']d["']\s*:\s*["'][\w-]{40,}"""),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "the hash of a password": re.compile(r"\$argon2id?\$"),
    "a bearer token": re.compile(r"(?i)\bbearer\s+(?!\[redacted\])[\w.~+/-]{20,}"),
    "a password": re.compile(
        r"(?i)\b(?:password|passphrase|client_secret)[\"']?\s*[=:]\s*"
        r"(?![\"']?(?:\[redacted\]|\*+|None|null|str\b|SecretStr))[\"']?[^\s\"',;&)}\]]{4,}"
    ),
    "an address with a password": re.compile(
        r"\b\w+://[^\s/:@]*:(?!\*+@|\[redacted\]@)[^\s/@]{3,}@"
    ),
}
"""What a secret looks like, by what it is."""

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class SecretWatch(logging.Handler):
    """Writes down every record, and knows the secrets that must not be among them."""

    def __init__(self, kept: Path) -> None:
        """Keep records in a file."""
        super().__init__()
        self._kept = kept
        self._kept.touch()
        self._secrets: set[str] = set()
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def know(self, *secrets: str) -> None:
        """Look for these as well."""
        self._secrets |= {secret for secret in secrets if len(secret) >= 8}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what the record says, with all that was handed to it."""
        if Path(record.pathname).is_relative_to(TESTS):
            return
        extra = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        line = self.format(record) + (f" {extra!r}\n" if extra else "\n")
        # Opened for each: whoever sets logging up anew closes the handlers that are there.
        with self._kept.open("a", encoding="utf-8", errors="replace") as kept:
            kept.write(line)

    def take(self, folder: Path) -> None:
        """Keep the logs below a folder that goes before the end."""
        for path in _logs_below(folder):
            with self._kept.open("a", encoding="utf-8", errors="replace") as kept:
                kept.write(path.read_text(encoding="utf-8", errors="replace"))

    def find(self, folders: Iterable[Path]) -> list[str]:
        """Where secrets are: in the records so far, and in logs below some folders."""
        logs = [path for folder in folders for path in _logs_below(folder)]
        return [place for path in [self._kept, *logs] for place in self._search(path)]

    def _search(self, path: Path) -> Iterator[str]:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if what := self._secret_in(line):
                    yield f"{path}:{number}: {what}"

    def _secret_in(self, line: str) -> str | None:
        if any(secret in line for secret in self._secrets):
            return "a secret that a test handed out"
        return next((what for what, look in LOOKS.items() if look.search(line)), None)


def _logs_below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix in LOG_SUFFIXES and path.is_file():
            yield path
