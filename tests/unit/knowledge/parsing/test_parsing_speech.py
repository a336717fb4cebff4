"""Captions as players write them, transcripts as people type them, recordings as heard."""

import io
import re
from dataclasses import dataclass, field

import pytest

from alexandria.errors import EmptyFileError, NoTextLayerError, UnreadableError
from alexandria.knowledge.chunking import StructureStrategy, split
from alexandria.knowledge.documents import ParsedDocument, UnitKind
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.recognizers import SpokenLine, Tools


def turns(document: ParsedDocument) -> list[tuple[str, str]]:
    return [
        (one.anchor.removeprefix("time="), document.text[one.start : one.end])
        for one in document.blocks
    ]


def vtt(body: str) -> list[tuple[str, str]]:
    return turns(parse_document(f"WEBVTT\n\n{body}\n".encode(), "talk.vtt"))


def srt(body: str | bytes) -> list[tuple[str, str]]:
    content = body if isinstance(body, bytes) else body.encode()
    return turns(parse_document(content, "talk.srt"))


ONE = "00:01.000 --> 00:02.000"
"""A cue's times, without hours."""


@pytest.mark.parametrize(
    ("cue", "text"),
    [
        (f"{ONE}\n<v Ann Author>Hello.</v>", "Ann Author: Hello."),
        (f"{ONE}\n<v.loud.red Ann>Hello.", "Ann: Hello."),
        (f"{ONE} position:10%,line-left align:left size:35%\nHello.", "Hello."),
        (f"{ONE}\n<c.yellow>Hello</c> <i>there</i> &amp; <b>all</b>.", "Hello there & all."),
        (f"{ONE}\nIf a < b and c > d", "If a < b and c > d"),
        (f"{ONE}\n<lang ja><ruby>豆<rt>まめ</rt></ruby>です</lang>", "豆です (まめ)"),
        (f"cue id\n{ONE}\ntwo\nlines", "two lines"),
        (f"NOTES on it\n{ONE}\nHello.", "Hello."),
    ],
)
def test_what_a_cue_says(cue: str, text: str) -> None:
    assert vtt(cue) == [("00:00:01.000", text)]


def test_what_is_no_cue_is_left_out() -> None:
    body = (
        "STYLE\n::cue { color: red }\n\nREGION\nid:a\n\nNOTE\n00:09.000 is a time\n\n"
        f"{ONE}\nHello.\n\nNOTE hidden\n\n01:00:03.000 --> 01:00:04.000\nBye."
    )
    assert vtt(body) == [("00:00:01.000", "Hello."), ("01:00:03.000", "Bye.")]


def test_cues_that_overlap_keep_their_order_and_speakers() -> None:
    body = "00:01.000 --> 00:05.000\n<v Ann>Hello\n\n00:02.000 --> 00:03.000\n<v Bo>Hi.\n\n"
    body += "00:02.500 --> 00:06.000\n<v Ann>there.\n<v Cy>Hey."
    assert vtt(body) == [
        ("00:00:01.000", "Ann: Hello"),
        ("00:00:02.000", "Bo: Hi."),
        ("00:00:02.500", "Ann: there."),
        ("00:00:02.500", "Cy: Hey."),
    ]


def test_captions_that_scroll_say_everything_once() -> None:
    body = (
        "00:00.000 --> 00:02.000\n \nthe <00:00:00.500><c>beans</c><00:00:01.000><c> grow</c>\n\n"
        "00:02.000 --> 00:02.010\nthe beans grow\n \n\n"
        "00:02.010 --> 00:04.000\nthe beans grow\nand<00:00:03.000><c> grow</c>\n\n"
        "00:04.000 --> 00:04.010\nand grow\n \n"
    )
    assert vtt(body) == [("00:00:00.000", "the beans grow and grow")]


def test_the_same_words_said_twice_stay_twice() -> None:
    assert vtt(f"{ONE}\nNo.\n\n00:02.000 --> 00:03.000\nNo.") == [("00:00:01.000", "No. No.")]


SRT_FIRST, SRT_SECOND = "00:00:01,000 --> 00:00:02,000", "00:00:09,500 --> 00:00:10,000"


@pytest.mark.parametrize(
    "body",
    [
        f"1\n{SRT_FIRST}\nHello.\n\n2\n{SRT_SECOND}\nBye.\n",
        f"{SRT_FIRST}\nHello.\n\n{SRT_SECOND}\nBye.",
        f"1\n{SRT_FIRST}\nHello.\n2\n{SRT_SECOND}\nBye.",
        f"1\n{SRT_FIRST}\n{{\\an8}}<font color='red'>Hello.</font>\n\n\n2\n{SRT_SECOND}\n\nBye.",
        f"\ufeff1\r\n{SRT_FIRST}  X1:1 X2:2\r\nHello.\r\n\r\n2\r\n{SRT_SECOND}\r\nBye.\r\n",
        f"1\r{SRT_FIRST}\rHello.\r\r2\r{SRT_SECOND}\rBye.\r",
    ],
)
def test_subrip_in_every_shape(body: str) -> None:
    assert srt(body) == [("00:00:01.000", "Hello."), ("00:00:09.500", "Bye.")]


def test_subrip_in_an_old_encoding() -> None:
    text = f"1\n{SRT_FIRST}\nDie Bäume blühen früh, und größer wird ihr Schatten.\n"
    assert srt(text.encode("cp1252"))[0][1].startswith("Die Bäume blühen")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[00:00:04] CDR: Roger. Clock.\n[00:00:13] CC: Go.\nAnd on.\n[00:01:02] CDR: Out.",
            [
                ("00:00:04", "[00:00:04] CDR: Roger. Clock."),
                ("00:00:13", "[00:00:13] CC: Go.\nAnd on."),
                ("00:01:02", "[00:01:02] CDR: Out."),
            ],
        ),
        (
            "0:0:0.0 --> 0:0:1.510\nAnn Author\nOK. Yeah.\n\n0:1:3.27 --> 0:1:4.250\nBo\nHmm.",
            [("00:00:00.000", "Ann Author: OK. Yeah."), ("00:01:03.270", "Bo: Hmm.")],
        ),
        (
            "Ann Author   0:03\nHello there.\n\nBo   1:02\nHi.\n\nHow are you?\n\nAnn 75:10\nWell.",
            [
                ("00:00:03", "Ann Author: Hello there."),
                ("00:01:02", "Bo: Hi."),
                ("00:01:02", "How are you?"),
                ("01:15:10", "Ann: Well."),
            ],
        ),
        (
            "Ann (00:03): Hello.\nBo (00:09): Hi.\nAnn (00:12): Well.",
            [("00:00:03", "Ann: Hello."), ("00:00:09", "Bo: Hi."), ("00:00:12", "Ann: Well.")],
        ),
    ],
)
def test_typed_transcripts(text: str, expected: list[tuple[str, str]]) -> None:
    document = parse_document(text.encode(), "talk.txt")
    assert turns(document) == expected
    assert [(one.kind, one.anchor) for one in document.units] == [
        (UnitKind.TRANSCRIPT, "transcript=1")
    ]


def test_what_stands_before_the_first_turn_stays_in_front() -> None:
    text = "The bean talk\n\nRecorded in March.\n\n[00:01] ANN: Hello.\n[00:02] BO: Hi.\n"
    text += "[00:03] ANN: Well.\n"
    document = parse_document(text.encode(), "talk.txt")
    assert turns(document)[:3] == [
        ("", "The bean talk"),
        ("", "Recorded in March."),
        ("00:00:01", "[00:01] ANN: Hello."),
    ]
    assert document.title == "The bean talk"


@pytest.mark.parametrize(
    "text",
    [
        "10:00 Opening: words of welcome\n11:00 Talks: three of them\n13:00 Lunch: soup\n",
        "10:00:01 INFO: started\n10:00:02 INFO: listening\n10:00:03 ERROR: stopped\n",
        "Matthew 5:3\nBlessed are the poor.\n\nJohn 1:1\nIn the beginning.\n\nActs 0:9\nThen.\n",
        "We met at 10:30 and left at 11:15.\n\nBo came at 9:00.\n",
    ],
)
def test_what_only_has_times_in_it_is_no_transcript(text: str) -> None:
    assert parse_document(text.encode(), "x.txt").units[0].kind is not UnitKind.TRANSCRIPT


def test_a_transcript_that_teams_exported() -> None:
    from docx import Document

    document = Document()
    for text in (
        "0:0:0.0 --> 0:0:1.510\nAnn Author\nOK. Yeah.",
        "0:1:3.27 --> 0:1:4.250\nBo\nHmm.",
    ):
        document.add_paragraph(text)
    buffer = io.BytesIO()
    document.save(buffer)
    assert turns(parse_document(buffer.getvalue(), "talk.docx")) == [
        ("00:00:00.000", "Ann Author: OK. Yeah."),
        ("00:01:03.270", "Bo: Hmm."),
    ]


@dataclass
class Listener:
    """A transcriber that says what it was told to, and remembers what it was given."""

    lines: list[SpokenLine]
    heard: list[bytes] = field(default_factory=list[bytes])

    def transcribe(self, content: bytes) -> list[SpokenLine]:
        self.heard.append(content)
        return self.lines


RECORDINGS = {
    "talk.flac": (b"fLaC\0\0", "audio/flac"),
    "talk.mp3": (b"ID3\4\0\0", "audio/mpeg"),
    "talk.wav": (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    "talk.m4a": (b"\0\0\0\x20ftypM4A \0", "audio/mp4"),
    "talk.ogg": (b"OggS\0\2", "audio/ogg"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_is_what_the_transcriber_hears(name: str) -> None:
    content, media_type = RECORDINGS[name]
    listener = Listener(
        [
            SpokenLine(" The beans are sown", 0.5, 2.0, 0.9),
            SpokenLine(" in April.", 2.0, 3.0, 0.5),
            SpokenLine(" Then they grow.", 8.25, 9.0, 1.0),
        ]
    )
    document = parse_document(content, name, Tools(transcriber=listener))
    assert listener.heard == [content]
    assert document.media_type == media_type
    assert turns(document) == [
        ("00:00:00.500", "The beans are sown in April."),
        ("00:00:08.250", "Then they grow."),
    ]
    assert [one.confidence for one in document.blocks] == [pytest.approx(0.767, abs=0.01), 1.0]
    assert document.units[0].kind is UnitKind.TRANSCRIPT
    assert document.units[0].confidence == pytest.approx(0.85, abs=0.02)


def test_a_doubtful_recording_is_noted() -> None:
    tools = Tools(transcriber=Listener([SpokenLine("The beans, or the means?", 0, 2, 0.4)]))
    document = parse_document(b"fLaC\0\0", "talk.flac", tools)
    assert [one.code for one in document.notes] == ["low_confidence"]


@pytest.mark.parametrize(
    ("tools", "error", "advice"),
    [
        (Tools(), NoTextLayerError, "ALEXANDRIA_TRANSCRIPTION_MODEL"),
        (Tools(transcriber=Listener([])), EmptyFileError, "unless speech is expected"),
    ],
)
def test_a_recording_without_words_says_what_to_do(
    tools: Tools, error: type[UnreadableError], advice: str
) -> None:
    with pytest.raises(error) as caught:
        parse_document(b"fLaC\0\0", "talk.flac", tools)
    assert advice in caught.value.advice


def test_chunks_of_a_transcript_begin_at_their_time() -> None:
    lines = "\n\n".join(
        f"00:{minute:02}:00.000 --> 00:{minute:02}:09.000\n<v S{minute}>Minute {minute} "
        + "has many words in it. " * 20
        for minute in range(6)
    )
    document = parse_document(f"WEBVTT\n\n{lines}".encode(), "talk.vtt")
    strategy = StructureStrategy(max_tokens=100, reach_tokens=20, small_tokens=10)
    chunks = split(document, strategy, lambda text: [m.span() for m in re.finditer(r"\S+", text)])
    anchors = {one.anchor for one in document.blocks}
    assert len(chunks) > 3
    assert all(chunk.anchor in anchors for chunk in chunks)
    assert chunks[0].anchor == "time=00:00:00.000"
    assert chunks[-1].anchor == "time=00:05:00.000"
