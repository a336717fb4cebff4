"""A process of its own: import modules and report what that did, as JSON.

    python watched_import.py ROOT MODULE,MODULE…

What a library does while it is imported is its own affair; what is reported was done by
the modules below ROOT themselves, before anybody called anything in them.
"""

import importlib
import inspect
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
ACTIONS = frozenset(
    (
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.system",
        "shutil.copyfile",
        "shutil.rmtree",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "sqlite3.connect",
        "subprocess.Popen",
    )
)
CODE = (".py", ".pyc", ".pth")

ROOT = sys.argv[1] if len(sys.argv) > 1 else ""
SEEN: list[str] = []


def is_ours() -> bool:
    """Whether the module that is being imported just now lies below ROOT."""
    frame: FrameType | None = inspect.currentframe()
    while frame and (frame.f_code.co_name != "<module>" or frame.f_code.co_filename == __file__):
        frame = frame.f_back
    file = frame.f_code.co_filename if frame else ""
    return file.startswith(ROOT + os.sep) and "site-packages" not in file


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: Python calls it for every file, socket and process that is touched."""
    if event == "open" and isinstance(arguments[0], str) and is_ours():
        path = os.path.abspath(arguments[0])  # noqa: PTH100 (a Path would ask the disk)
        if (arguments[2] or 0) & WRITES and path != os.devnull:
            SEEN.append(f"writes {path}")
        elif path.startswith(ROOT + os.sep) and not path.endswith(CODE):
            SEEN.append(f"reads {path}")
    elif event in ACTIONS and is_ours():
        SEEN.append(f"{event} {arguments[:2]}")


def watch_settings() -> None:
    """Report each reading of one of our variables, and each building of our settings."""
    import pydantic_settings

    kind: Any = type(os.environ)
    settings: Any = pydantic_settings.BaseSettings
    read, build = kind.__getitem__, settings.__init__

    def read_variable(environment: Any, name: str) -> str:
        if name.startswith("ALEXANDRIA_"):
            SEEN.append(f"reads the variable {name}")
        return read(environment, name)

    def build_settings(self: Any, *values: Any, **named: Any) -> None:
        if type(self).__module__.startswith("alexandria"):
            SEEN.append("builds Settings")
        build(self, *values, **named)

    kind.__getitem__ = read_variable
    settings.__init__ = build_settings


def main() -> None:
    """Watch, import, report."""
    watch_settings()
    sys.addaudithook(watch)
    for name in sys.argv[2].split(","):
        importlib.import_module(name)
    sys.stdout.write(json.dumps({"seen": SEEN, "modules": sorted(sys.modules)}))


if __name__ == "__main__":
    main()
