"""Bytes of many encodings become the text they were made from, declared or not."""

# ruff: noqa: E501, RUF001 (sentences of other scripts, whose letters look like Latin ones)

import random
import unicodedata

import pytest

from alexandria.errors import UndecodableTextError
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.decoding import decode_markup, decode_text

SENTENCES = {
    "de": (
        "Über die Brücke führte früher ein schmaler Weg, den die Müller täglich gingen.",
        "cp1252 iso8859_1 iso8859_15 cp850",
    ),
    "fr": (
        "Le garçon a mangé une crêpe près de l'église où son père l'attendait.",
        "cp1252 iso8859_1 iso8859_15",
    ),
    "es": (
        "El niño soñó que volvía a la montaña después de la última canción.",
        "cp1252 iso8859_1",
    ),
    "sv": ("Så länge sjön är öppen går båten mellan öarna varje måndag kväll.", "cp1252 iso8859_1"),
    "pl": (
        "Źródło rzeki leży wśród wzgórz, gdzie każdej wiosny kwitną żółte kaczeńce.",
        "cp1250 iso8859_2",
    ),
    "cs": (
        "Příliš žluťoučký kůň úpěl ďábelské ódy nad řekou, kde stál starý mlýn.",
        "cp1250 iso8859_2",
    ),
    "hu": (
        "Az öreg őrült vízimolnár hűvös estéken tűz mellett mesélt a gyerekeknek.",
        "cp1250 iso8859_2",
    ),
    "ro": (
        "Bătrânul pescar îşi aşteaptă în fiecare dimineaţă băieţii lângă malul mării.",
        "cp1250 iso8859_2",
    ),
    "hr": ("Šumar čuva šumu i noću, jer divlje životinje često prelaze cestu.", "cp1250 iso8859_2"),
    "ru": (
        "Старый маяк стоял на краю мыса, и каждую ночь его свет указывал путь кораблям.",
        "cp1251 koi8_r iso8859_5 cp866",
    ),
    "uk": ("Їжак щовечора виходив із лісу, щоб з'їсти яблука під нашою грушею.", "cp1251 koi8_u"),
    "bg": ("Старият часовник в града отмерваше времето точно и всяка вечер звънеше.", "cp1251"),
    "el": (
        "Ο παλιός φάρος στεκόταν στην άκρη του ακρωτηρίου και φώτιζε τη θάλασσα.",
        "cp1253 iso8859_7",
    ),
    "tr": (
        "Yaşlı değirmenci her sabah güneş doğmadan çayın kıyısına inip ağlarını toplardı.",
        "cp1254 iso8859_9",
    ),
    "he": ("המגדלור הישן עמד בקצה הכף ובכל לילה הראה אורו את הדרך לספינות.", "cp1255 iso8859_8"),
    "ar": (
        "كانت المنارة القديمة تقف على حافة الرأس وتضيء الطريق للسفن كل ليلة.",
        "cp1256 iso8859_6",
    ),
    "ja": (
        "岬の古い灯台は、毎晩その光で船に道を示していた。カモメが鳴いている。",
        "shift_jis cp932 euc_jp iso2022_jp",
    ),
    "zh": ("海角上的老灯塔每天晚上都用灯光为船只指路，海鸥在天空中鸣叫。", "gb18030 gbk gb2312"),
    "zt": ("海角上的老燈塔每天晚上都用燈光為船隻指路，海鷗在天空中鳴叫。", "big5"),
    "ko": ("곶 끝에 서 있던 낡은 등대는 매일 밤 배들에게 길을 알려 주었다.", "euc_kr cp949"),
    "vi": ("Ngọn hải đăng cũ đứng ở mũi đất, mỗi đêm soi đường cho những con tàu.", "cp1258"),
    "th": ("ประภาคารเก่าตั้งอยู่ปลายแหลม และส่องทางให้เรือทุกคืน", "tis_620 cp874"),
    "lt": (
        "Senas švyturys stovėjo ant iškyšulio krašto ir kiekvieną naktį rodė kelią laivams, plaukiantiems į uostą.",
        "cp1257 iso8859_13",
    ),
}
"""A sentence in each language and the encodings it is written in, as Python names them."""

PARAGRAPHS = {
    "de": "Der Wirt öffnete die Tür und grüßte die Gäste höflich. Draußen hörte man die Kühe, während im Häuschen schöne Musik spielte. Natürlich, sagte er, können Sie hier übernachten.",
    "fr": "À l'aube, les pêcheurs hissèrent leurs voiles et quittèrent le port. La forêt, là-bas, était déjà éclairée par le soleil levant. Ça sentait le café brûlé et les blés mûrs.",
    "pl": "Stary latarnik wchodził co wieczór na wieżę. Łódź jego brata stała przy brzegu, a dzieci śpiewały pieśń o morzu. Wiatr był silny, więc wszyscy wrócili wcześniej. Później, gdy zaszło słońce, ścieżka stała się ciemna.",
    "cs": "Starý mlynář vstával každé ráno před svítáním. Řeka byla tichá a v údolí ležela mlha. Děti běhaly po louce a volaly na koně. Večer pak všichni seděli u ohně a zpívali.",
    "hu": "A halász minden reggel kiment a tóra. A fiúk segítettek neki, és együtt húzták ki a hálót. Később, mikor fölkelt a nap, a hűvös szél elült és a víz kisimult.",
    "ru": "Рыбак каждое утро выходил на озеро. Мальчики помогали ему, и вместе они вытаскивали сеть. Потом, когда вставало солнце, ветер стихал и вода становилась гладкой.",
    "uk": "Рибалка щоранку виходив на озеро. Хлопці допомагали йому, і разом вони витягали сіть. Потім, коли сходило сонце, вітер стихав і вода ставала гладенькою. Її колір був синій.",
    "el": "Ο ψαράς έβγαινε κάθε πρωί στη λίμνη. Τα αγόρια τον βοηθούσαν και μαζί τραβούσαν το δίχτυ. Ύστερα, όταν ανέβαινε ο ήλιος, ο άνεμος έπεφτε και το νερό ηρεμούσε.",
    "tr": "Balıkçı her sabah göle çıkardı. Çocuklar ona yardım eder, ağı birlikte çekerlerdi. Sonra güneş doğunca rüzgâr diner, su durulurdu. Işık dağların üstünden gelirdi.",
    "he": "הדייג יצא בכל בוקר אל האגם. הילדים עזרו לו, ויחד הם משכו את הרשת. אחר כך, כשזרחה השמש, הרוח שככה והמים נעשו חלקים.",
    "ar": "كان الصياد يخرج كل صباح إلى البحيرة. وكان الأولاد يساعدونه ويسحبون الشبكة معا. ثم عندما تشرق الشمس تهدأ الريح ويصبح الماء ساكنا.",
    "ja": "漁師は毎朝湖に出た。少年たちは彼を手伝い、一緒に網を引いた。やがて日が昇ると、風はやみ、水面は静かになった。「今日は大漁だ」と彼は言った。",
    "zh": "渔夫每天早晨都到湖上去。孩子们帮助他，一起拉网。后来太阳升起来了，风停了，水面变得平静。他说：“今天收获真多。”",
    "zt": "漁夫每天早晨都到湖上去。孩子們幫助他，一起拉網。後來太陽升起來了，風停了，水面變得平靜。他說：「今天收穫真多。」",
    "ko": "어부는 매일 아침 호수로 나갔다. 소년들은 그를 도와 함께 그물을 당겼다. 그러다 해가 뜨면 바람이 그치고 물이 잔잔해졌다.",
    "vi": "Người đánh cá mỗi sáng đều ra hồ. Bọn trẻ giúp ông và cùng nhau kéo lưới. Sau đó, khi mặt trời lên, gió lặng và nước trở nên phẳng lặng.",
    "th": "ชาวประมงออกไปที่ทะเลสาบทุกเช้า เด็ก ๆ ช่วยเขาและดึงแหด้วยกัน ต่อมาเมื่อดวงอาทิตย์ขึ้น ลมก็สงบและน้ำก็นิ่ง",
}

CASES = [(tongue, name) for tongue, (_, names) in SENTENCES.items() for name in names.split()]
AMBIGUOUS = {("cs", "iso8859_2")}
"""Sentences that read as well in another encoding."""

WIDE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def sentence(tongue: str) -> str:
    return SENTENCES[tongue][0]


def paragraph(tongue: str) -> str:
    return f"{PARAGRAPHS.get(tongue, '')}\n{sentence(tongue)}\n" * 3


def encode(text: str, name: str) -> bytes:
    """The bytes of the text; the Vietnamese code page writes tones apart from their letters."""
    if name == "cp1258":
        text = "".join(map(tone_apart, unicodedata.normalize("NFC", text)))
    return text.encode(name)


def tone_apart(char: str) -> str:
    apart = unicodedata.normalize("NFD", char)
    letter = unicodedata.normalize("NFC", "".join(one for one in apart if one not in _TONES))
    return letter + "".join(one for one in apart if one in _TONES)


def same(read: str, written: str) -> bool:
    return unicodedata.normalize("NFC", read) == unicodedata.normalize("NFC", written)


@pytest.mark.parametrize(("tongue", "name"), CASES)
def test_a_paragraph_without_declaration_is_read_exactly(tongue: str, name: str) -> None:
    assert same(decode_text(encode(paragraph(tongue), name)), paragraph(tongue))


@pytest.mark.parametrize(("tongue", "name"), sorted({*CASES} - AMBIGUOUS))
def test_a_sentence_without_declaration_is_read_exactly(tongue: str, name: str) -> None:
    assert same(decode_text(encode(sentence(tongue), name)), sentence(tongue))


@pytest.mark.parametrize(("tongue", "name"), CASES)
def test_a_declared_encoding_is_believed(tongue: str, name: str) -> None:
    page = (
        f'<html><head><meta charset="{name}"></head><body><p>{sentence(tongue)}</p></body></html>'
    )
    assert same(decode_markup(encode(page, name)), page)
    assert same(decode_text(encode(sentence(tongue), name), name), sentence(tongue))


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("tongue", sorted(SENTENCES))
def test_unicode_is_read_with_and_without_its_mark(tongue: str, name: str) -> None:
    text = unicodedata.normalize("NFC", paragraph(tongue))
    read = parse_document(text.encode(name), "x.txt").text
    assert "".join(read.split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("x-sjis", "cp932"),
        ("Shift_JIS", "cp932"),
        ("ks_c_5601-1987", "euc_kr"),
        ("ISO-8859-8-I", "iso8859_8"),
        ("iso-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("gb2312", "gb18030"),
        ("hz-gb-2312", "hz"),
    ],
)
def test_names_mean_what_browsers_take_them_for(label: str, name: str) -> None:
    text = {"cp932": "①髙﨑", "euc_kr": "한글", "iso8859_8": "שלום", "cp1252": "“é”"}.get(
        name, "中文"
    )
    assert decode_text(text.encode(name), label) == text


@pytest.mark.parametrize(
    ("tongue", "name", "declared"),
    [
        ("de", "cp1252", "utf-8"),
        ("ja", "cp932", "utf-8"),
        ("ja", "utf-8", "shift_jis"),
        ("fr", "utf-8", "iso-8859-1"),
        ("ru", "utf-8", "windows-1251"),
        ("zh", "gb18030", "no-such-encoding"),
        ("pl", "utf-8", "utf-16"),
    ],
)
def test_a_wrong_declaration_does_no_harm(tongue: str, name: str, declared: str) -> None:
    page = f'<html><meta charset="{declared}"><p>{paragraph(tongue)}</p>'
    assert decode_markup(page.encode(name)) == page


@pytest.mark.parametrize("declared", ["utf-7", "rot13", "unicode_escape", "punycode", "\0"])
def test_declarations_that_hide_text_are_not_followed(declared: str) -> None:
    text = "+ADw-script+AD4- \\x41"
    assert decode_text(text.encode(), declared) == text


@pytest.mark.parametrize("tongue", ["de", "ja", "ru", "th"])
def test_broken_bytes_are_replaced_and_the_rest_is_kept(tongue: str) -> None:
    text = paragraph(tongue)
    content = bytearray(text.encode())
    chance = random.Random(tongue)
    places = chance.sample([at for at, byte in enumerate(content) if byte < 0x80], 3)
    for at in places:
        content[at] = 0xFF
    document = parse_document(bytes(content), "x.txt")
    kept = "".join(char for char in document.text if char != "\ufffd")
    assert len("".join(text.split())) - 3 <= len("".join(kept.split()))
    (note,) = document.notes
    assert note.code == "replaced_bytes"
    assert note.message.startswith("3 characters")


def test_a_broken_legacy_file_is_kept_too() -> None:
    written = paragraph("ko") * 10
    text = decode_text(written.encode("cp949").replace(b"\n", b"\xff\n", 1))
    assert text.replace("\ufffd", "") == written


def test_utf8_cut_inside_a_character_is_read_without_it() -> None:
    assert decode_text("Grüße aus Köln, schön".encode()[:-2]) == "Grüße aus Köln, sch"


def test_one_letter_at_the_end_of_a_long_text_decides() -> None:
    text = "plain words\n" * 30_000 + "caf\u00e9"
    assert decode_text(text.encode("cp1252")) == text


@pytest.mark.parametrize("size", [64, 1_000, 50_000])
def test_noise_is_refused(size: int) -> None:
    with pytest.raises(UndecodableTextError):
        decode_text(random.Random(size).randbytes(size))


@pytest.mark.parametrize("size", [2_000, 50_000])
def test_sound_samples_are_no_utf16(size: int) -> None:
    chance = random.Random(size)
    samples = b"".join(
        int(chance.gauss(0, 900)).to_bytes(2, "little", signed=True) for _ in range(size // 2)
    )
    with pytest.raises(UndecodableTextError):
        decode_text(samples)
