"""Sentences with numbers in them: packs write them for many, and one of a thing reads as one."""

from __future__ import annotations

import re

_ONE = {
    "people": "person",
    "children's accounts": "child's account",
    **{
        f"{word}s": word
        for word in (
            "account", "card", "case", "credit", "customer", "day", "file", "marker", "payer", "payment", "receipt",
            "receiver", "reference", "row", "send", "subject",
        )
    },
}  # fmt: skip
_VERBS = {
    "were": "was",
    "are": "is",
    "have": "has",
    "pay": "pays",
    "equal": "equals",
    "speak": "speaks",
    "carry": "carries",
    **{same: same for same in ("went", "came", "sent", "left", "made", "show")},
}
_BESIDE = r"(?:card|fresh|later|more|other|small|such|unrelated) "
_NOUN = re.compile(rf"(?<![\d.,])1 (?:different )?((?:{_BESIDE})*)({'|'.join(_ONE)})\b")
_VERB = re.compile(rf"(^1 .*?)\b({'|'.join(_VERBS)})\b")


def agreed(text: str) -> str:
    """Return a sentence written for many in which what there is one of stands as one.

    Examples
    --------
    >>> agreed("1 of 1 payments were round sums."), agreed("1 different people sent small sums.")
    ('1 of 1 payment was round sums.', '1 person sent small sums.')
    >>> agreed("1 of 21 payments went to people whom others pay.")
    '1 of 21 payments went to people whom others pay.'
    """
    text = _NOUN.sub(lambda found: f"1 {found[1]}{_ONE[found[2]]}", text)
    return _VERB.sub(lambda found: found[1] + _VERBS[found[2]], text, count=1)


def counted(number: int, many: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "rows"), counted(2000, "rows")
    ('1 row', '2,000 rows')
    """
    return agreed(f"{number:,} {many}")
