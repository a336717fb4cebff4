"""Web pages without what surrounds them, OneNote pages with what their marks say, and ruby."""

import pytest

from alexandria.errors import EmptyFileError, NoTextLayerError
from alexandria.knowledge.documents import BlockKind, ParsedDocument
from alexandria.knowledge.parsing import parse_document

ARTICLE = (
    "Beans want a light and warm soil, and they are sown when the nights stay mild. "
    "Whoever sows too early loses half of them to the cold, and whoever waits until June "
    "harvests late. Three weeks after the first leaves the rows are hoed for the second time, "
    "and then the plants shade the ground themselves."
)


def read(body: str, attributes: str = "", name: str = "page.html") -> ParsedDocument:
    page = f"<!doctype html><html {attributes}><head><title>Beans</title></head>{body}</html>"
    return parse_document(page.encode(), name)


def kinds(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(one.kind.value, document.text[one.start : one.end]) for one in document.blocks]


SURROUNDINGS = {
    "nav": "<nav><ul><li><a href=/>Start page</a></li></ul>GONE</nav>",
    "role": "<div role=navigation><a href=/>GONE</a></div>",
    "footer": "<footer><p>GONE 2024 All rights reserved</p></footer>",
    "content info": "<div role=contentinfo>GONE Imprint</div>",
    "header": "<header><a href=/>GONE The Garden Magazine</a><a href=/x>Shop</a></header>",
    "cookie banner": "<div id='cookie-banner'><p>GONE We use cookies.</p><button>OK</button></div>",
    "consent": "<div class='gdprNotice'><p>GONE We and 743 partners value you.</p></div>",
    "related": "<div class='related-posts'><h3>Read on</h3><ul><li><a href=1>GONE peas</a></li>"
    "<li><a href=2>Lentils are coming back</a></li></ul></div>",
    "share bar": "<ul class='share'><li><a href=1>GONE Mail</a></li>"
    "<li><a href=2>Copy</a></li></ul>",
    "breadcrumbs": "<ol class='breadcrumb'><li><a href=/>GONE Home</a></li><li>Beans</li></ol>",
    "comments": "<div id='comments'><h3>2 comments</h3><p>GONE I never liked beans.</p></div>",
    "advertisement": "<div class='advertisement'>GONE Buy our seeds today</div>",
    "newsletter": "<div class='newsletter'><p>GONE Garden news</p><input><button>Go</button></div>",
    "sidebar": "<aside><h3>Most read</h3><a href=1>GONE Ten ways to water</a></aside>",
    "skip link": "<a href='#main' class='x'><span>Skip to GONE content</span></a>",
}


@pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS)
@pytest.mark.parametrize("before", [True, False])
def test_what_surrounds_an_article_goes(around: str, before: bool) -> None:
    article = f"<article><h1>Sowing beans</h1><p>{ARTICLE}</p></article>"
    if around.startswith("<a "):
        around = f"<div>{around}</div>"
    parts = [around, article] if before else [article, around]
    document = read(f"<body>{''.join(parts)}</body>")
    assert document.text == f"Sowing beans\n\n{ARTICLE}"


KEPT = {
    "header with the title": "<header><h1>HERE</h1><p>By Ann Author</p></header>",
    "header of an article": "<article><header><p>HERE by Ann</p></header><p>Words.</p></article>",
    "footer of a quotation": "<blockquote><p>Words.</p><footer>HERE Thoreau</footer></blockquote>",
    "note inside the text": "<section><p>Text.</p><aside>HERE a remark</aside></section>",
    "footnotes": "<div class='footnotes'><ol><li>HERE the source</li></ol></div>",
    "contents": "<div class='menu toc'><ul><li><a href=1>HERE</a></li></ul></div>",
    "section on cookies": "<section id='cookies'><h2>HERE</h2><p>A cookie is text.</p></section>",
    "section on sharing": "<section id='share-prices'><p>HERE Shares fell by half.</p></section>",
    "a preface": "<div id='advertisement'><h2>Advertisement</h2><p>HERE this book</p></div>",
    "a menu to eat from": "<div class='menu'><p>HERE Bean soup</p><p>Bread</p></div>",
    "a title that is a link": "<h2><a class='header' href=1>HERE</a></h2><p>Words.</p>",
    "a title in a bar": "<p>Words <span class='menu'><a href=1>HERE</a></span></p>",
    "links in the text": "<p><a href=1>HERE</a> <a href=2>and there</a></p>",
    "a list of links": "<ul><li><a href=1>HERE</a></li><li><a href=2>There</a></li></ul>",
    "a comment's class": "<p class='comment'>HERE a remark of the editor</p>",
}


@pytest.mark.parametrize("part", KEPT.values(), ids=KEPT)
def test_what_is_text_stays(part: str) -> None:
    document = read(f"<body><h1>Beans</h1><p>{ARTICLE}</p>{part}</body>")
    assert "HERE" in document.text
    assert not document.notes


def test_what_was_left_out_is_counted() -> None:
    words = "Home Garden Shop Forum Contact " * 8
    document = read(f"<body><nav>{words}</nav><article><p>{ARTICLE}</p></article></body>")
    (note,) = document.notes
    assert note.code == "boilerplate_removed"
    assert "40 words" in note.message


def test_outside_the_main_part_only_titles_stay() -> None:
    document = read(
        f"<body><div><h1>Sowing</h1></div><div>Subscribe</div><main><p>{ARTICLE}</p></main>"
        "<div>Imprint</div><div id='footnotes'><p>1 A note.</p></div></body>"
    )
    assert document.text == f"Sowing\n\n{ARTICLE}\n\n1 A note."


def test_a_page_whose_text_is_not_in_main_is_kept_whole() -> None:
    document = read(f"<body><main><p>Loading</p></main><div><p>{ARTICLE}</p></div></body>")
    assert ARTICLE in document.text


def test_a_forum_is_its_comments() -> None:
    document = read(f"<body><h1>Beans?</h1><div id=comments><p>{ARTICLE}</p></div></body>")
    assert ARTICLE in document.text


def test_text_between_removed_parts_is_no_part_of_them() -> None:
    document = read(f"<body>one<nav>GONE</nav>two<nav>GONE</nav>three<p>{ARTICLE}</p></body>")
    assert document.text.startswith("onetwothree")


def test_pages_nested_deep_are_measured_without_recursion() -> None:
    deep = "<div>" * 1_500 + "core" + "</div>" * 1_500
    document = read(f"<body><p>{ARTICLE}</p><nav>{deep}</nav><p>end</p></body>")
    assert document.text.endswith("end")
    assert "core" not in document.text


def test_a_page_of_pictures_says_so() -> None:
    with pytest.raises(NoTextLayerError):
        read("<body><p><img src=1.png></p></body>")
    with pytest.raises(EmptyFileError):
        read("<body><script>words()</script></body>")


@pytest.mark.parametrize("role", ["presentation", "none"])
def test_layout_tables_are_read_as_paragraphs(role: str) -> None:
    table = "<tr><td><p>Left.</p><p>Below.</p></td><td>Right.</td></tr><tr><td>a<td>b</tr>"
    document = read(f"<body><table role={role}>{table}</table></body>")
    assert [kind for kind, _ in kinds(document)] == ["paragraph"] * 5


def test_readings_of_characters_stand_apart() -> None:
    document = read(
        "<body><p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby>に"
        "<ruby>\n<rb>住</rb>\n<rt>す</rt>\n</ruby>む。</p><p>終わり</p>"
        "<table><tr><th>語</th><th>訳</th></tr><tr><td><ruby>豆<rt>まめ</rt></ruby></td>"
        "<td>bean</td></tr></table></body>",
        "lang=ja",
    )
    assert document.text == "東京に住む。 (とうきょう, す)\n\n終わり\n\n語: 豆 (まめ); 訳: bean"


NOTES = """<body data-absolute-enabled="true">
<div style="position:absolute;left:600px;top:400.5px"><p>last</p></div>
<div style="position:absolute;left:600px;top:40px"><p>second</p></div>
<div data-id="_default" style="position:absolute;left:48px;top:40px;width:6px">
<h1 data-tag="important">Plan</h1>
<p data-tag="to-do:completed,question">Buy <b>seeds</b></p>
<ul><li><span data-tag="to-do-priority-2">Sow</span></li>
<li><span data-tag="discuss-with-manager:completed">Ask</span></li></ul>
<img src="x" alt="A bean plant" data-tag="idea"/><img src="y" alt="strip" data-index="1"/>
<object data="z" data-attachment="beds &amp; rows.xlsx" type="application/x"/>tail
<iframe data-original-src="https://video.example.org/1"></iframe>
<table style="border:0px"><tr><td>Ann</td><td>hoes</td></tr>
<tr><td>Bo</td><td>waters</td></tr></table>
</div></body>"""


def test_onenote_marks_become_words_in_reading_order() -> None:
    document = read(NOTES, 'htmlns="https://www.w3.org/1999/xhtml" lang="en-US"')
    assert kinds(document) == [
        ("heading", "[important] Plan"),
        ("paragraph", "[done] [question] Buy seeds"),
        ("list_item", "[to do, priority 2] Sow"),
        ("list_item", "[discuss with manager, done] Ask"),
        ("paragraph", "[idea] Picture: A bean plant"),
        ("paragraph", "Attached file: beds & rows.xlsx"),
        ("paragraph", "tail"),
        ("paragraph", "Video: https://video.example.org/1"),
        ("table", "Ann; hoes"),
        ("table", "Bo; waters"),
        ("paragraph", "second"),
        ("paragraph", "last"),
    ]
    assert document.language == "en"
    assert not document.notes


def test_other_pages_keep_their_order_and_pictures_silent() -> None:
    document = read(NOTES.replace(' data-absolute-enabled="true"', ""))
    assert document.text.startswith("last")
    assert "bean plant" not in document.text
    assert BlockKind.TABLE in {one.kind for one in document.blocks}


def test_a_page_without_an_end_says_so() -> None:
    whole = "<html><body><h1>Beans</h1><p>They like light soil.</p></body></html>"
    assert parse_document(whole.encode(), "x.html").notes == ()
    for cut in (whole[:-16], whole[:45]):
        assert [note.code for note in parse_document(cut.encode(), "x.html").notes] == ["file_cut"]
    assert parse_document(b"<p>Only a part of a page.", "x.html").notes == ()
