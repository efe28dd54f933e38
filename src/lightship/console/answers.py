"""What the matcher service is asked and what it answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ITEMS = 1000
"""Questions in one request."""

_HEX = "[0-9a-fA-F]"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Hash(_Strict):
    """A picture's PDQ hash."""

    hash: Annotated[str, Field(pattern=f"^{_HEX}{{64}}$", description="Hexadecimal.")]
    quality: Annotated[int, Field(ge=0, le=100, description="As PDQ gives it; below 50 nothing matches.")]


Digest = Annotated[
    str,
    Field(
        pattern=f"^({_HEX}{{32}}|{_HEX}{{40}}|{_HEX}{{64}})$",
        description="MD5, SHA-1 or SHA-256, hexadecimal.",
    ),
]
Address = Annotated[str, Field(min_length=1, max_length=2048, description="A web address.")]


class Questions(_Strict):
    """Up to 1,000 hashes, digests and addresses."""

    pdq: Annotated[list[Hash], Field(max_length=ITEMS)] = []
    digests: Annotated[list[Digest], Field(max_length=ITEMS)] = []
    urls: Annotated[list[Address], Field(max_length=ITEMS)] = []
    tries: Annotated[
        float,
        Field(
            ge=1,
            le=16,
            description="Forms (turned, cut) in which each picture is asked about; its weights pay.",
        ),
    ] = 1.0

    @model_validator(mode="after")
    def _some(self) -> Questions:
        if not 1 <= len(self) <= ITEMS:
            raise ValueError("a request asks 1 to 1,000 questions in all")
        return self

    def __len__(self) -> int:
        return len(self.pdq) + len(self.digests) + len(self.urls)


class Match(BaseModel):
    """An entry that matches."""

    list: str
    reference: Annotated[str | None, Field(description="The owner's, where the list's terms let it be told.")]
    video: Annotated[str | None, Field(description="The video that a frame's entry belongs to, likewise.")]
    at_s: Annotated[float | None, Field(description="The frame's second in that video, likewise.")]
    kind: Literal["pdq", "md5", "sha1", "sha256", "url"]
    distance: Annotated[int, Field(description="Bits; 0 for digests and addresses.")]
    within: Annotated[int, Field(description="Bits within which the list matches.")]
    entry_quality: int
    as_of: Annotated[date, Field(description="The list's own day.")]
    age_days: int
    stale: Annotated[bool, Field(description="Older than its terms allow.")]
    version: Annotated[str, Field(description="Names the list's version.")]


class Overridden(Match):
    """An entry that would match, and why it does not count."""

    by: str


class Answer(BaseModel):
    """What the lists say of one hash, digest or address."""

    matches: Annotated[list[Match], Field(description="Nearest first.")]
    rule: str
    weight_db: Annotated[float, Field(description="Weight of evidence, decibans.")]
    quality: int
    overridden: list[Overridden]


class Answers(BaseModel):
    """What the lists say, in the order of the questions."""

    pdq: list[Answer]
    digests: list[Answer]
    urls: list[Answer]
    stale: Annotated[list[str], Field(description="Lists searched that are older than their terms allow.")]
    request_id: str


class ListInfo(BaseModel):
    """A list that the tenant may be told of."""

    name: str
    owner: str
    role: Literal["known", "negative"]
    entries: Annotated[dict[str, int], Field(description="By kind: pdq, md5, sha1, sha256, url.")]
    within: Annotated[int, Field(description="Bits within which a PDQ hash matches.")]
    as_of: date
    age_days: int
    stale: bool
    version: str
    tells_reference: bool
    basis: str


class Lists(BaseModel):
    """The lists that the tenant may be told of; never what is on them."""

    lists: list[ListInfo]
