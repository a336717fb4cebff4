"""The adapter of faster-whisper, held to what that package raises and gives; without its weights.

The package is a stand-in here: its models are not on the machines that run the tests. It
raises what faster-whisper 1.2 was seen to raise: a ValueError for a name it does not know, a
FileNotFoundError for a model that would have to be downloaded, a RuntimeError for a folder
without a model, and a ValueError for bytes that are no recording.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alexandria.adapters.transcription import load_transcriber
from alexandria.errors import ModelMissingError, RecognitionFailedError
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.recognizers import Tools


@dataclass
class Segment:
    start: float
    end: float
    text: str
    avg_logprob: float


class WhisperModel:
    """Decodes nothing; hears two lines in anything that begins like FLAC."""

    loaded = 0

    def __init__(self, model: str, **options: object) -> None:
        assert options == {
            "device": "cpu",
            "compute_type": "int8",
            "cpu_threads": 3,
            "local_files_only": True,
        }
        if model == "unknown":
            raise ValueError("Invalid model size 'unknown'")
        if model == "small":
            raise FileNotFoundError("Cannot find an appropriate cached snapshot folder")
        if not (Path(model) / "model.bin").is_file():
            raise RuntimeError(f"Unable to open file 'model.bin' in model '{model}'")
        WhisperModel.loaded += 1

    def transcribe(self, audio: BytesIO, **options: Any) -> tuple[Iterator[Segment], object]:
        assert options["temperature"] == 0.0, "sampling would give another text each time"
        content = audio.read()
        if not content.startswith(b"fLaC"):
            raise ValueError("Invalid data found when processing input: '<none>'")
        return self._segments(content), object()

    def _segments(self, content: bytes) -> Iterator[Segment]:
        if content.endswith(b"cut"):
            raise RuntimeError("the recording ends too early")
        yield Segment(0.5, 2.0, " The beans are sown.", -0.1)
        yield Segment(2.0, 3.0, " ", -0.1)
        yield Segment(8.0, 9.5, " Then they grow.", -2.0)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("faster_whisper")
    module.__spec__ = ModuleSpec("faster_whisper", None)
    vars(module)["WhisperModel"] = WhisperModel
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    monkeypatch.setattr(WhisperModel, "loaded", 0)


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.bin").touch()
    return str(tmp_path)


@pytest.mark.usefixtures("package")
def test_lines_come_with_times_and_confidence_and_without_silence(model: str) -> None:
    transcriber = load_transcriber(model, threads=3)
    assert transcriber is not None
    assert WhisperModel.loaded == 0
    lines = transcriber.transcribe(b"fLaC sound")
    assert [(line.text, line.start, line.end) for line in lines] == [
        ("The beans are sown.", 0.5, 2.0),
        ("Then they grow.", 8.0, 9.5),
    ]
    assert [line.confidence for line in lines] == pytest.approx([0.905, 0.135], abs=0.001)
    assert transcriber.transcribe(b"fLaC sound") == lines
    assert WhisperModel.loaded == 1


@pytest.mark.usefixtures("package")
def test_a_recording_becomes_a_document(model: str) -> None:
    tools = Tools(transcriber=load_transcriber(model, threads=3))
    document = parse_document(b"fLaC sound", "talk.flac", tools)
    assert [one.anchor for one in document.blocks] == ["time=00:00:00.500", "time=00:00:08.000"]
    assert [one.code for one in document.notes] == ["low_confidence"]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("content", [b"no sound", b"fLaC sound, cut"])
def test_what_cannot_be_decoded_is_the_recordings_fault(model: str, content: bytes) -> None:
    transcriber = load_transcriber(model, threads=3)
    assert transcriber is not None
    with pytest.raises(RecognitionFailedError):
        transcriber.transcribe(content)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["unknown", "small", "empty folder", "/no/such/folder"])
def test_a_model_that_is_not_here_is_named(name: str, tmp_path: Path) -> None:
    name = str(tmp_path) if name == "empty folder" else name
    with pytest.raises(ModelMissingError) as caught:
        _transcribe(name)
    assert name in caught.value.message
    assert "ALEXANDRIA_TRANSCRIPTION_MODEL" in caught.value.message


def _transcribe(name: str) -> None:
    transcriber = load_transcriber(name, threads=3)
    assert transcriber is not None
    transcriber.transcribe(b"fLaC sound")


def test_without_the_setting_there_is_no_transcriber() -> None:
    assert load_transcriber(None) is None
    assert load_transcriber("") is None


def test_without_the_package_the_message_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "faster_whisper", raising=False)
    monkeypatch.setattr("alexandria.adapters.transcription.find_spec", lambda _name: None)
    with pytest.raises(ModelMissingError, match="pip install"):
        load_transcriber("small")
