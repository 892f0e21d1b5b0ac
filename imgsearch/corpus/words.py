"""Split texts into words, and build the vocabulary of a collection of texts.

Texts may be hostile: only their first characters are read, and overlong words are ignored. All languages are accepted;
English stop words are left out and English plurals are reduced to their singular.
"""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

MOST_WORDS = 2000  # of a vocabulary, as in Hinton & Salakhutdinov (2006)
MOST_CHARACTERS = 20_000  # read of one text
LONGEST_WORD = 40  # letters; longer ones are addresses, keys or noise
_ENGLISH = """
    a about after again all also am an and any are as at be because been before being below between both but by can
    cannot could did do does doing down during each few for from further get got had has have having he her here hers
    him his how i if in into is it its itself just me more most my no nor not now of off on once only or other our ours
    out over own same she should so some such than that the their theirs them then there these they this those through
    to too under until up very was we were what when where which while who whom why will with would you your yours
    aren't can't couldn't didn't doesn't don't hadn't hasn't haven't i'd i'll i'm i've isn't it'd it'll let's shouldn't
    they'd they'll they're they've wasn't we'd we'll we're we've weren't won't wouldn't you'd you'll you're you've
"""
STOP_WORDS = frozenset(_ENGLISH.split())
# Scripts without spaces between words: each pair of neighbouring characters counts as a word.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana and Chinese characters


def tokens(text: str) -> list[str]:
    """Return the words of a text in order: lower case, singular, without stop words, numbers and single letters."""
    return [word for word, _ in spelled_tokens(text)]


def spelled_tokens(text: str) -> list[tuple[str, str]]:
    """Return the words of a text, each with its spelling (in lower case)."""
    folded = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS])[:MOST_CHARACTERS].replace("\u2019", "'").casefold()
    found = []
    for spelling in _words_pattern().findall(folded):
        word = spelling.removesuffix("'s")
        if re.match(f"[{UNSPACED}]", word):
            found += [(pair, pair) for pair in _pairs(word)]
        elif 1 < len(word) <= LONGEST_WORD and word not in STOP_WORDS:
            found.append((singular(word), spelling))
    return found


def singular(word: str) -> str:
    """Return an English word without its plural s; other words keep or lose one letter, the same in every text.

    The S-stemmer of Harman, "How effective is suffixing?" (1991), which cuts least and rarely merges different words;
    in addition, the e of -shes, -ches, -xes and -sses is cut.
    """
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")) and len(word) > 4:
        return word[:-2]
    if word.endswith("ies") and len(word) > 4 and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and len(word) > 3 and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and len(word) > 3 and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


@dataclass(frozen=True)
class Vocabulary:
    """The counted words, most frequent first."""

    words: tuple[str, ...]
    counts: tuple[int, ...]  # number of texts that contain each word
    n_texts: int  # texts with at least one word

    def __post_init__(self) -> None:
        if len(self.words) != len(self.counts) or len(set(self.words)) != len(self.words):
            raise ValueError("each word of a vocabulary has one count")

    @cached_property
    def places(self) -> dict[str, int]:
        """The number of each word."""
        return {word: place for place, word in enumerate(self.words)}

    @classmethod
    def of(cls, texts: Iterable[str], most: int = MOST_WORDS) -> "Vocabulary":
        """Return the vocabulary of the `most` words that occur in most texts, in alphabetical order if equal."""
        counts: Counter[str] = Counter()
        n_texts = 0
        for text in texts:
            words = set(tokens(text))
            counts.update(words)
            n_texts += bool(words)
        chosen = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
        return cls(tuple(word for word, _ in chosen), tuple(n for _, n in chosen), n_texts)

    def __len__(self) -> int:
        return len(self.words)

    def count(self, text: str) -> dict[int, int]:
        """Return index of a word → number of its occurrences in the text, ascending."""
        found = Counter(self.places[word] for word in tokens(text) if word in self.places)
        return dict(sorted(found.items()))

    def look_up(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the words of a text that are in the vocabulary, and the others as spelled; each once."""
        spelled = spelled_tokens(text)
        known = dict.fromkeys(word for word, _ in spelled if word in self.places)
        unknown = dict.fromkeys(spelling for word, spelling in spelled if word not in self.places)
        return tuple(known), tuple(unknown)


@functools.cache
def _words_pattern() -> re.Pattern[str]:
    r"""Return the pattern of a word.

    Words are runs of characters of unspaced scripts, or of letters with the marks that belong to them and apostrophes
    between letters. Python's \w lacks the marks, and with them half of the characters of Hindi.
    """
    marks = "".join(map(chr, filter(lambda code: unicodedata.category(chr(code))[0] == "M", range(0x300, 0x11A00))))
    letter = f"(?:(?![{UNSPACED}])[^\\W\\d_]|[{marks}])"
    return re.compile(f"[{UNSPACED}]+|{letter}+(?:'{letter}+)*")


def _pairs(characters: str) -> Sequence[str]:
    if len(characters) == 1:
        return [characters]
    return [characters[start : start + 2] for start in range(len(characters) - 1)]
