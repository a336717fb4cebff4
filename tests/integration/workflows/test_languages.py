"""A library in many languages answers in each of them, through the real stores."""

# ruff: noqa: E501, RUF001 (sentences of other scripts, whose letters look like Latin ones)

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.reading.candidates import rank_sides
from alexandria.workflows.reading.searching import search
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]

TEXTS: dict[str, str | bytes] = {
    "zh.txt": "老灯塔建在海角的岩石上，每天晚上为渔船指路。守塔人每四个小时给钟表上一次发条。\n",
    "zh-water.txt": "饮水机的滤芯要每六个月更换一次，否则会有异味。更换以前先关掉进水阀。\n".encode(
        "gb18030"
    ),
    "ja.txt": "村のパン屋は午前三時に生地をこね始め、五時に最初のライ麦パンが焼き上がる。\n".encode(
        "cp932"
    ),
    "ja-garden.txt": "果樹園には柿とざくろ、それに古い梨の木が一本ある。秋には柿の実を落とす。\n",
    "ko.txt": "도서관은 고서 사천 권을 소장하고 있다. 열람실은 월요일마다 쉬고 물은 마실 수 있다.\n",
    "th.txt": "ต้องเปลี่ยนไส้กรองของเครื่องกรองน้ำทุกหกเดือน มิฉะนั้นน้ำจะมีกลิ่น\n",
    "de.txt": "Das alte Haus des Fischers steht am Ufer. Sein Boot liegt unter den Weiden.\n".encode(
        "utf-16"
    ),
    "ru.txt": "Рыбак каждое утро выходил на озеро. Мальчики помогали ему тянуть тяжёлую сеть.\n".encode(
        "koi8_r"
    ),
    "ar.txt": "كانَ الصيادُ يخرج كل صباح إلى البحيرة، وكان الأولاد يسحبون الشبكة معه.\n",
    "he.txt": "הספרן שמר את הספרים הישנים בארון ברזל ונעל אותו בכל ערב במפתח כבד.\n".encode(
        "cp1255"
    ),
    "fa.txt": "کتاب\u200cهای قدیمی را در کتابخانه نگهداری می\u200cکنند و هر روز خواننده می\u200cآید.\n",
    "tr.txt": "Isparta'da gül bahçeleri vardır. Işıklar sabaha kadar yanar.\n".encode("cp1254"),
    "el.txt": "Ο παλιός φάρος στεκόταν στην άκρη του ακρωτηρίου και φώτιζε τη θάλασσα.\n".encode(
        "cp1253"
    ),
    "two.md": "# Deutsch\n\nDie Müllerin mahlte den Roggen im Tal der alten Mühlen, und abends sang "
    "sie am Bach.\n\n# Русский\n\nСтарая часовня стояла на холме, и каждое воскресенье к ней "
    "приходили жители соседних деревень.\n",
}

QUESTIONS: Sequence[tuple[str, str]] = (
    ("灯塔", "zh.txt"),
    ("守塔人多久上一次发条？", "zh.txt"),
    ("滤芯 更换", "zh-water.txt"),
    ("阀", "zh-water.txt"),
    ("ライ麦パン", "ja.txt"),
    ("ﾗｲ麦", "ja.txt"),
    ("ザクロ", "ja-garden.txt"),
    ("梨", "ja-garden.txt"),
    ("도서관", "ko.txt"),
    ("물", "ko.txt"),
    ("เครื่องกรองน้ำ", "th.txt"),
    ("Wo stehen die Häuser der Fischer?", "de.txt"),
    ("HÄUSER", "de.txt"),
    ("тяжелые сети", "ru.txt"),
    ("الصياد", "ar.txt"),
    ("الشَّبَكَة", "ar.txt"),
    ("מַפְתֵּחַ כבד", "he.txt"),
    ("کتابهای قدیمی", "fa.txt"),
    ("كتاب", "fa.txt"),
    ("ISPARTA", "tr.txt"),
    ("ΦΑΡΟΣ", "el.txt"),
    ("Roggen mahlen", "two.md"),
    ("часовни на холмах", "two.md"),
)


@pytest.fixture
def shelf(tmp_path: Path, write: Write) -> Path:
    """A folder with a text in each language, some in the encodings of their past."""
    for name, text in TEXTS.items():
        write(tmp_path / "shelf" / name, text)
    return tmp_path / "shelf"


def test_words_of_every_language_are_found(workspace: Workspace, shelf: Path, sync: Sync) -> None:
    source: Source = add_source(workspace, shelf)
    sync(workspace, source)
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    generation = live_generation(workspace)
    assert generation
    paths = {
        hit.chunk_id: hit.path
        for question, _ in QUESTIONS
        for hit in search(workspace, question, where, limit=50)
    }
    missed: list[tuple[str, str, list[str]]] = []
    for question, path in QUESTIONS:
        ranked = rank_sides(workspace, generation, question, where)["bm25"]
        found = [paths.get(chunk_id, "?") for chunk_id in ranked]
        if found[:1] != [path]:
            missed.append((question, path, found))
    assert not missed
