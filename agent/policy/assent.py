"""What an answer to a proposed change says: yes, no, or something else. Pure; words in `texts/confirmed.{ru,en}.toml`.

```
«да, оформляйте» · "yes, go ahead" · "I'll go with the first option"      ─► yes
«нет, не надо» · "no, leave it"                                           ─► no
«да, но на другой адрес» · "yes, if it is free" · «да?» · «ок, а сколько?»  ─► other
```
A yes says nothing of its own: each sentence must be made of words of agreement, of the proposal's own words, or be one of
a few kinds that change nothing (thanks, a reason, a question about another matter). Anything else is something else.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.cues import Cues, cues
from agent.language import dictionary, is_function, readable, says_no, script, stem, words

Kind = Literal["yes", "no", "other"]
LONGEST = 1_200
"""Characters of an answer that is read to its end; a longer one tells a story."""
LIKE = 4
"""Letters two words share to be one word in two forms: «отмените» and «отменить»."""
MOST_OPTIONS = 5
"""Options that have names of their own: «первый» to «пятый»."""
HOLDS = ("asking", "condition", "doubt", "turn", "other", "no")
"""Kinds of words that make a yes none, in the order in which they are told."""
_CONDITION = "held back: condition"
_SHORT = 2
"""Words of a yes that stands behind its condition: «если завтра, то да», "if so, go ahead"."""
_WITHIN_NUMBER = re.compile(r"(?<=\d)[.,:\s](?=\d{3}\b)|(?<=\d)[.,:](?=\d)")
_NUMBER = re.compile(r"\d{3}")
"""What may be another order's number, and no hour."""
_SENTENCE = re.compile(r"(?<=[.?] )(.+?) ([.?]) ")
_NO_VERB = ("ing", "ed", "ion", "ment", "er", "ance", "ness")
_TOLD = frozenset({"impr", "INFN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How an answer was read; `beside`: it asks or wishes something else, too; `pick`: which option it names, from 1.

    `conditional`: it would agree, and asks nothing, but for a condition of its own.
    """

    kind: Kind
    beside: bool = False
    pick: int = 0
    why: str = ""
    conditional: bool = False


def read(text: str, *, to: str, options: int = 0, known: Collection[str] = ()) -> Reply:
    """Return what `text` says in answer to the proposal `to`.

    `options` is how many things the proposal offers to choose from; `known` are words and codes the answer may hold
    beyond the proposal's own.
    """
    if len(text) > LONGEST or not text.strip():
        return Reply(kind="other", why="too long to be an answer" if text.strip() else "nothing said")
    if says_no(text):
        return Reply(kind="no")
    return _Reader(readable(text), to=to, options=options, known=known).reply()


def settles(text: str) -> bool:
    """Tell whether the text could be a yes or a no to some proposal, whatever that says."""
    return read(text, to=text, options=MOST_OPTIONS).kind != "other"


class _Reader:
    def __init__(self, text: str, *, to: str, options: int, known: Collection[str]) -> None:
        self.cues: Cues = cues(script(text), name="confirmed")
        self.sentences = list(_sentences(text, self.cues))
        self.options = options
        self.told = self.cues.spoken(_joined(to), kept=_word)
        echoed = [one for part in (to, *known) for one in words(_joined(part))]
        self.echoed = {one for one in echoed if not is_function(one)}
        self.stems = {stem(one) for one in self.echoed}
        self.agreed = self.refused = self.beside = self.told_again = False

    def reply(self) -> Reply:
        for sentence, asks in self.sentences:
            why = self._question(sentence) if asks else self._statement(sentence)
            if why:
                conditional = why == _CONDITION and self._would_agree(sentence)
                return Reply(kind="other", why=why, pick=self._pick(), conditional=conditional)
        if self.agreed == self.refused:
            return Reply(kind="other", why="neither yes nor no")
        if self.refused:
            return Reply(kind="no", beside=self.beside)
        pick = self._pick()
        alike = self.options > 1 and not pick and not self.told_again and self._is("which", self.told)
        if alike and not any(self._is("all", one) for one, asks in self.sentences if not asks):
            return Reply(kind="other", why="which one is left open")
        return Reply(kind="yes", beside=self.beside, pick=pick)

    def _would_agree(self, sentence: str) -> bool:
        """Tell whether a sentence with a condition holds a yes as well, and nothing else is asked."""
        other = any(_NUMBER.search(one) and not self._echo(one) for one in words(sentence))
        if other or any(asks for _, asks in self.sentences):
            return False
        if any(self._is(kind, sentence) for kind in ("refuse", "doubt")):
            return False
        before = self.cues.sections["condition"].phrases.split(sentence, maxsplit=1)[0]
        spoken = words(sentence)
        parts = [f"{before}. ", *(f". {' '.join(spoken[-n:])} . " for n in range(1, _SHORT + 1))]
        yes = any(self._is(kind, one) for kind in ("yes", "do") for one in parts)
        return self.agreed or self._is("bound", sentence) or yes or any(map(self._orders, parts))

    def _question(self, sentence: str) -> str:
        """Return why a question leaves no yes; empty when it concerns something else."""
        if self.agreed and (
            self.beside
            or self._is("also", sentence)
            or (self._is("request", sentence) and not self._is("about", sentence))
        ):
            self.beside = True
            return ""
        return "a question"

    def _statement(self, sentence: str) -> str:
        """Return why a statement leaves neither yes nor no; empty when it is a part of one."""
        bare = self._bare(sentence)
        if self._is("refuse", bare) and not self.agreed and not self._is("turn", sentence):
            self.refused = True
            return self._foreign(bare)
        for kind in HOLDS:
            # Who has gone on to another matter may be unsure about that one, and ask on.
            past = self.beside and kind in ("asking", "doubt")
            if self._is(kind, sentence) and not past and not (kind == "other" and self._as_told(sentence)):
                return f"held back: {kind}"
        if self._is("also", sentence) and self.agreed:
            self.beside = True
            return self._foreign(sentence, only_codes=True)
        plain = any(self._is(kind, one) for kind in ("yes", "do") for one in (sentence, bare))
        if not plain and self._is("aside", sentence):
            return self._foreign(sentence, only_codes=True)
        self.agreed = self.agreed or plain or self._takes(bare)
        return self._foreign(bare)

    def _bare(self, sentence: str) -> str:
        """Return the sentence without what only sounds like a no or a condition: «без проблем», "no problem"."""
        for kind in ("no", "condition"):
            never = self.cues.sections[kind].never
            sentence = never.sub(" ", sentence) if never else sentence
        return " ".join(sentence.split()) + " "

    def _as_told(self, sentence: str) -> bool:
        """Tell whether what sounds like another thing is what the proposal itself calls so: «другую карту»."""
        return all(
            one[0].strip() in self.told for one in self.cues.sections["other"].phrases.finditer(sentence)
        )

    def _takes(self, sentence: str) -> bool:
        """Tell whether the sentence chooses one of the options, or tells us to do what was proposed."""
        return self._is("choice", sentence) or self._orders(sentence)

    def _orders(self, sentence: str) -> bool:
        """Tell whether the sentence tells us to do what was proposed."""
        order = self.cues.sections["order"].phrases
        for found in order.finditer(sentence):
            rest = sentence[found.end() :].split()
            if (
                len(rest) > 1
                and rest[0] not in ".?"
                and self._echo(rest[0])
                and _told(rest[0], alone=len(rest) < 3)
            ):
                return True
        return False

    def _foreign(self, sentence: str, *, only_codes: bool = False) -> str:
        """Return the first word of the sentence that is not the proposal's and no word of agreement."""
        rest = (
            self.cues.sections["reason"].phrases.split(sentence, maxsplit=1)[0] if self.agreed else sentence
        )
        for kind in ("yes", "do", "harmless", *(("refuse", "no") if self.refused else ())):
            rest = self.cues.sections[kind].phrases.sub(" ", rest)
        numbered = {one for n in range(self.options) for one in self._nth(n + 1)}
        for one in words(rest):
            code = any(mark.isdigit() for mark in one)
            plain = not code and (one in self.cues.words["fillers"] or is_function(one))
            if (only_codes and not code) or one in numbered or plain:
                continue
            if self._echo(one):
                self.told_again = True
            else:
                return f"of its own: {one}"
        return ""

    def _echo(self, word: str) -> bool:
        if word in self.echoed or stem(word) in self.stems:
            return True
        if any(mark.isdigit() for mark in word):
            return False
        for name, same in self.cues.words.items():
            if name.startswith("same_") and word.startswith(tuple(same)):
                return any(one.startswith(tuple(same)) for one in self.echoed)
        return len(word) > LIKE and any(one[: LIKE + 1] == word[: LIKE + 1] for one in self.echoed)

    def _pick(self) -> int:
        """Return the one option that is named, 0 for none or several; a mere "first" is named by a yes alone."""
        said: set[str] = set()
        near = self.cues.words["around"]
        for sentence, asks in self.sentences:
            spoken = ["", *words(sentence), ""] if not asks else []
            for before, one, after in zip(spoken, spoken[1:], spoken[2:], strict=False):
                if self.agreed or before in near or after in near:
                    said.add(one)
        found = [n for n in range(1, self.options + 1) if said & (self._nth(n) - {"one", "a", "b", "c"})]
        return found[0] if len(found) == 1 else 0

    def _nth(self, n: int) -> frozenset[str]:
        return self.cues.words.get(f"nth{n}", frozenset())

    def _is(self, kind: str, sentence: str) -> bool:
        return self.cues.sections[kind].found(sentence)


def _sentences(text: str, c: Cues) -> Iterator[tuple[str, bool]]:
    """Yield each sentence in the form the phrases are searched in, and whether it asks."""
    for found in _SENTENCE.finditer(c.spoken(_joined(text), kept=_word)):
        yield f". {found[1]} {found[2]} ", found[2] == "?"


def _word(token: str) -> bool:
    """Tell whether a token is a word as it stands: a slip put right may be another word, and "black" is not "back"."""
    return script(token) == "en" or bool(dictionary().word_is_known(token))


def _joined(text: str) -> str:
    """Return the text with the marks inside numbers gone: "1,625" is one number."""
    return _WITHIN_NUMBER.sub("", text)


def _told(word: str, *, alone: bool) -> bool:
    """Tell whether a word orders: an imperative or an infinitive; English needs what is ordered beside it."""
    if script(word) == "ru":
        return any(_TOLD & parse.tag.grammemes for parse in dictionary().parse(word)[:2])
    return not alone and not word.endswith(_NO_VERB)
