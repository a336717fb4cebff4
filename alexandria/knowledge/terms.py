"""Text to searchable terms, and terms to BM25 weights; ingest and query share every step.

A text is folded (compatibility forms, case, invisible characters), cut into words, freed
of its language's stop words and stemmed. Scripts written without spaces become character
pairs. Codes such as "A10:2017" are found whole and by their parts.

Laws: the terms of a text depend on the text and its language alone. The weights of an
index entry depend on nothing else either, so an entry never changes because its neighbours
did: the average length in BM25 is a constant here, not a statistic of the library.
"""

# ruff: noqa: RUF001 (Russian and Turkish words look like misspelt Latin ones)

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Protocol

from alexandria.knowledge.indexing import SparseVector

K1 = 1.2
"""How soon the repetition of a term stops counting; higher is later."""

B = 0.75
"""How much a long text is discounted: 0 not at all, 1 in full proportion."""

AVERAGE_LENGTH = 60.0
"""Terms at which the length discount is neutral. Measured on five open labelled sets whose
texts hold 33 to 115 terms: mean nDCG@10 is 0.593 at 40, 0.594 at 60, 0.592 at 80, 0.586 at
100 and 0.568 at 200; with each set's own average it is 0.586."""

UNKNOWN_LANGUAGE = "und"
FALLBACK_LANGUAGE = "en"

_TERM_IDS = 999_999_999
_CACHED_WORDS = 200_000
_LONGEST_TERM = 64

_STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

_STOP_WORDS = {
    "en": """a about above after again ain all also am an and any are as at be because been before
        being below between both but by can could couldn d did didn do does doesn doing don done
        down during each few for from further had has have having he her here hers herself him
        himself his how i if in into is it its itself just ll m me more most my myself no nor not
        now of off on once only or other our ours ourselves out over own re s same shall she should
        so some such t than that the their theirs them themselves then there these they this those
        through to too under until up upon us ve very was we were what when where whether which
        while who whom whose why will with would you your yours yourself""",
    "de": """aber alle allem allen aller alles als also am an ander andere anderem anderen auch auf
        aus bei beim bin bis bist da damit dann das dass dein deine dem den denn der des dessen
        dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem
        einen einer eines er es etwas euch euer für gegen hab habe haben hat hatte hatten hier hin
        hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder
        jedes jene jener kann kein keine keinem keinen keiner können man manche mein meine mich mir
        mit muss nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner
        seit sich sie sind so solche soll sondern sonst über um und uns unser unter viel vom von
        vor war waren warum was weil welche welchem welchen welcher welches wenn wer werde werden
        wie wieder will wir wird wo wurde wurden zu zum zur zwar zwischen""",
    "fr": """à ai ainsi alors as au aucun aussi autre autres aux avait avec avez avoir avons c car
        ce ceci cela celle celui ces cet cette ceux chez comme comment d dans de des donc dont du
        elle elles en encore entre es est et étaient était étant été être eu eux fait il ils j je
        jusqu l la là le les leur leurs lors lui m ma mais me même mes moi mon n ne ni nos notre
        nous on ont ou où par parce pas peut plus pour pourquoi qu quand que quel quelle quelles
        quels qui quoi s sa sans se sera ses si soi son sont sous sur t ta te tes toi ton tous tout
        toute toutes très tu un une vers vos votre vous y""",
    "es": """a al algo algunos ante antes aquel aquella así aunque cada como con contra cual cuál
        cuáles cuando cuándo de del desde donde dónde dos e el él ella ellas ellos en entre era
        eran es esa esas ese eso esos esta está están estar estas este esto estos fue fueron ha
        había han has hasta hay la las le les lo los más me mi mis mucho muy nada ni no nos
        nosotros nuestra nuestro o os otra otro otros para pero poco por porque qué que quien quién
        se sea ser si sí sido sin sobre son su sus también tan tanto te tiene tienen todo todos tu
        tus un una uno unos y ya yo""",
    "it": """a ad agli ai al alla alle allo anche avere c che chi ci ciò come con contro cosa cui d
        da dagli dai dal dalla dalle dei degli del della delle dello dentro di dopo dove e è ed era
        erano essere fra già gli ha hai hanno ho i il in io l la le lei li lo loro ma me mi mia mio
        molto ne negli nei nel nella nelle nello no noi non nostro o ogni per perché però più poi
        prima qual quale quali quando quanto quella quelle quelli quello questa queste questi
        questo qui se sei sempre senza si sia sono sopra sotto sta stata stato su sua sugli sui
        sul sulla sulle sullo suo suoi tra tu tutti tutto un una uno v vi voi""",
    "pt": """a à ao aos aquela aquele aquilo as às até com como da das de dela dele deles depois
        do dos e é ela elas ele eles em entre era eram essa esse esta está estão este eu foi foram
        há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós nossa nosso
        num numa o onde os ou para pela pelas pelo pelos por porque porquê qual quais quando quem
        que quê se sem ser será seu seus só sua suas também te tem têm ter tinha toda todo todos tu
        um uma umas uns você vocês""",
    "nl": """aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door
        dus een en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun iemand iets
        ik in is ja je jullie kan kon kunnen maar me meer men met mij mijn moet na naar niet niets
        nog nu of om omdat onder ons onze ook op over reeds te tegen toch toen tot u uit uw van
        veel voor want waren was wat we wel welk welke werd wezen wie wij wil worden wordt zal ze
        zelf zich zij zijn zo zonder zou""",
    "sv": """alla allt än är att av blev bli blir de dem den denna deras dess dessa det detta dig
        din dina ditt du där då efter ej eller en er era ett från för ha hade han hans har henne
        hennes hon honom hur här i icke ingen inom inte jag ju kan kunde man med mellan men mig min
        mina mitt mot mycket ni nu när någon något några och om oss på så sedan sig sin sina sitt
        skulle som till under upp ut utan vad var vara varför varit vars vem vi vid vilka vilken
        vilket vår våra åt över""",
    "da": """af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din
        disse dog du efter eller en end er et for fordi fra ham han hans har havde have hende hendes
        her hos hun hvad hvem hvilken hvilket hvis hvor hvordan hvorfor i ikke ind jeg jer jo kan
        kunne man mange med meget men mig min mine mit mod ned noget nogle nu når og også om op os
        over på selv sig sin sine sit skal skulle som sådan til ud under var vi vil ville vor være
        været""",
    "no": """alle at av ble bli blir da de deg dem den denne der deres det dette di din disse du
        eller en enn er et etter for fordi fra ha hadde han hans har henne hennes her hun hva hvem
        hver hvilken hvis hvor hvordan hvorfor i ikke ingen inn jeg kan kom kunne man mange med
        meg men mer min mot mye ned noe noen når og også om opp oss over på seg selv sin sitt skal
        skulle slik som så til ut uten var ved vi vil ville vår være vært å""",
    "fi": """ei eivät eli että en hän häneen hänen ja jo jos joka jotka kanssa koska kuin kuinka kun
        me mikä miksi missä mitä mutta mukaan myös ne niiden niin niitä nyt oli olivat olla ole
        olen on ovat se sen siellä siinä sitä tai te tuo tämä tämän vaan vai vain voi""",
    "ru": """а без более был была были было быть в вам вас весь во вот все всего всех вы где да даже
        для до его ее ей ему если есть ещё еще же за здесь и из или им их к как какая какие какой
        когда кто ли либо мне может мы на над надо не него нее нет ни них но ну о об однако он она
        они оно от очень по под после при с со так также такой там те тем то того тоже той только
        том ты у уже хотя чего чей чем что чтобы чьё эта эти это этого этой этом этот я""",
    "pl": """a aby ale albo być był była było były bo by ci co czy czyli dla do gdy gdzie go i ich
        ile im inne iż ja jak jaka jaki jakie jako je jego jej jest jeszcze jeśli już kiedy kto
        która które który których lub ma mi mnie może na nad nas nie nich niego nim o od on ona one
        oni oraz po pod przed przez przy są się sobie ta tak także tam te tego tej ten to tu twój
        ty tych tylko tym w we więc wszystko z za ze że""",
    "tr": """ama ancak bazı ben bir biri birçok biz bu bunu bunun çok çünkü da daha de değil diye en
        gibi göre hem hep her hiç için ile ise kadar ki kim mi mı mu mü nasıl ne neden nerede
        niye o olan olarak oldu olduğu on onlar onun sen siz sonra şey şu tüm var ve veya ya yani
        yok""",
}  # fmt: skip

_NO_BREAK_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana, Han; Hangul too, whose words carry glued endings."""

_UNBROKEN_RUN = re.compile(f"[{_NO_BREAK_SCRIPTS}]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_ACCENTS = re.compile("[\u0300-\u036f]")
_THOUSANDS = re.compile(r"(?<!\d)\d{1,3}(?:,\d{3})+(?!\d)")
_JOINT = re.compile("[-:.,/]")
_DIGIT = re.compile(r"\d")
_STEMMING = Lock()
"""A stemmer keeps the word it works on in itself, so one thread may use it at a time."""


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 (the library's name)


def fold(text: str) -> str:
    """The text with one form for what readers take for the same: width, case, ligatures."""
    if text.isascii():
        return text.lower()
    visible = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return unicodedata.normalize("NFC", visible.casefold()).replace("i\u0307", "i")


def analyze(text: str, language: str) -> list[str]:
    """The terms of a text in reading order, repeats kept.

    Args:
        text: Any text, of any length.
        language: ISO 639-1; "und" is read as English. A language without a stemmer or
            stop words keeps its words as they are written.
    """
    chosen = _known(language)
    return [term for word in _words(text) for term in _terms_of(word, chosen)]


def term_id(term: str) -> int:
    """The number that stands for a term in every index, 0..999,999,998."""
    return int.from_bytes(
        blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    ) % (_TERM_IDS)


def entry_weights(text: str, language: str) -> SparseVector:
    """BM25's term-frequency part for an index entry; the index multiplies by IDF later.

    Returns:
        tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / AVERAGE_LENGTH)) by term id, each
        in 0..K1 + 1; length is counted in terms.
    """
    counts = _count(text, language)
    discount = K1 * (1 - B + B * sum(counts.values()) / AVERAGE_LENGTH)
    return {term: tf * (K1 + 1) / (tf + discount) for term, tf in counts.items()}


def query_weights(text: str, languages: Iterable[str]) -> SparseVector:
    """How often each term is in a question whose language is not known.

    Args:
        text: The question.
        languages: The languages of the library; the question is read in each of them, and
            a term keeps the largest of its counts. None at all means English.

    Words that are stop words of the question's own language are left out in every other:
    an English "it" is no rare word of the French documents. Its own language is the one
    with the most stop words in it, if those are two or more.
    """
    chosen = sorted({_known(language) for language in languages} or {FALLBACK_LANGUAGE})
    empty = {term for word in _own_stop_words(text, chosen) for term in _all_ids_of(word, chosen)}
    weights: SparseVector = {}
    for language in chosen:
        for term, count in _count(text, language).items():
            if term not in empty:
                weights[term] = max(weights.get(term, 0.0), float(count))
    return weights


def _own_stop_words(text: str, languages: Iterable[str]) -> frozenset[str]:
    words = frozenset(_words(text))
    found = max((words & _stop_words(language) for language in languages), key=len)
    return found if len(found) > 1 else frozenset()


def _all_ids_of(word: str, languages: Iterable[str]) -> Iterable[int]:
    return (term for language in languages for term in _ids_of(word, language))


def inverse_document_frequency(df: int, n: int) -> float:
    """How rare a term is that `df` of `n` entries hold; above 0 for every df <= n.

    The same formula as Qdrant's IDF modifier, so that both stores score alike.
    """
    return math.log(1 + (n - df + 0.5) / (df + 0.5))


def _known(language: str) -> str:
    code = language.lower().split("-")[0]
    return FALLBACK_LANGUAGE if code in ("", UNKNOWN_LANGUAGE) else code


def _count(text: str, language: str) -> Counter[int]:
    """Term ids with their counts; each distinct word is looked up once."""
    chosen = _known(language)
    counts: Counter[int] = Counter()
    for word, count in Counter(_words(text)).items():
        for term in _ids_of(word, chosen):
            counts[term] += count
    return counts


def _words(text: str) -> list[str]:
    folded = fold(text)
    if not folded.isascii():
        folded = _UNBROKEN_RUN.sub(_pairs, folded)
    return _word_pattern().findall(folded)


def _pairs(run: re.Match[str]) -> str:
    characters = run.group()
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
    return f" {' '.join(pairs)} "


@cache
def _word_pattern() -> re.Pattern[str]:
    """Words with their combining marks, together with the words joined to them."""
    points = map(chr, range(0x300, 0x10000))
    marks = "".join(point for point in points if unicodedata.category(point) in ("Mn", "Mc"))
    word = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return re.compile(rf"\b[a-z](?:\+\+|#)|{word}(?:[-:.,/]{word})*")


@lru_cache(maxsize=_CACHED_WORDS)
def _ids_of(word: str, language: str) -> tuple[int, ...]:
    return tuple(term_id(term) for term in _terms_of(word, language))


@lru_cache(maxsize=_CACHED_WORDS)
def _terms_of(word: str, language: str) -> tuple[str, ...]:
    """The terms of one word: none if a stop word, whole and parts if a code with digits."""
    whole = _THOUSANDS.sub(lambda number: number.group().replace(",", ""), word)
    parts = _JOINT.split(whole)
    terms = [_stem(part, language) for part in parts if part not in _stop_words(language)]
    if len(parts) > 1 and _DIGIT.search(whole):
        terms.insert(0, whole)
    return tuple(term for term in terms if len(term) <= _LONGEST_TERM)


def _stem(word: str, language: str) -> str:
    """The word's stem without accents; words with digits stay as they are."""
    stemmer = None if _DIGIT.search(word) else _stemmer(language)
    if stemmer is not None:
        with _STEMMING:
            word = stemmer.stemWord(word)
    return word if word.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", word))


@cache
def _stop_words(language: str) -> frozenset[str]:
    return frozenset(fold(_STOP_WORDS.get(language, "")).split())


@cache
def _stemmer(language: str) -> _Stemmer | None:
    if language not in _STEMMERS:
        return None
    import snowballstemmer

    return snowballstemmer.stemmer(_STEMMERS[language])
