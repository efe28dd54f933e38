"""A typology pack in plain words."""

from __future__ import annotations

import textwrap

from lightship.payments.pack import Indicator, Model, Pack
from lightship.payments.proof import prove
from lightship.payments.vocabulary import DATA, FEATURES, VIEWS

WIDTH = 110


def explained(pack: Pack) -> str:
    """Return what a pack measures, how it weighs, where that is published, and what it may never do."""
    proof = prove(pack)
    lines = [
        f"{pack.title} ({pack.id}, {pack.version})",
        pack.digest,
        "",
        *_wrapped(pack.description),
        "",
        *_wrapped(
            f"Looks at {VIEWS[pack.view]}, over {pack.window_days} days. An alert needs at least {pack.floor_db:g} dB, "
            f"{pack.families_needed} families that speak for it, and a place among {pack.budget} cases a month."
        ),
    ]
    for title, members in (
        ("Speaks for it", [one for one in pack.computed if not one.counter]),
        ("Speaks against it", [one for one in pack.computed if one.counter]),
        ("Off: needs other data", [one for one in pack.indicators if not one.feature]),
    ):
        if members:
            lines += ["", title, "-" * len(title)]
        for one in members:
            lines += _indicator(one)
    reach = ", ".join(f"{key} ({', '.join(value)})" for key, value in proof.protected.items()) or "none"
    lines += [
        "",
        "What may never decide",
        "---------------------",
        *_wrapped(
            f"Indicators that stand for a protected attribute: {reach}. All together they bring at most "
            f"{proof.reach_mdb / 1000:g} dB; the floor is {proof.floor_mdb / 1000:g} dB, and "
            f"{proof.families_needed} of the "
            f"families {', '.join(proof.free_families)} must speak besides. The corridor itself weighs nothing."
        ),
    ]
    return "\n".join(lines)


def _indicator(one: Indicator) -> list[str]:
    head = f"{one.id}  {one.title}  [{one.family}; grade {one.grade}{', to be verified' if one.tbv else ''}]"
    lines = ["", head]
    if one.feature:
        words = FEATURES[one.feature].words
        for name, value in one.params.items():
            shown = f"{one.currency} {value / 100:g}" if name.endswith("_minor") else str(value)
            words = words.replace(f"`{name}`", shown)
        lines += _wrapped(f"Measures the {words}; at most {one.cap_db:g} dB.", "    ")
        assert one.model is not None
        lines += _wrapped(_model(one.model), "    ")
        if one.only_joined:
            lines += _wrapped("Counts only beside others.", "    ")
    else:
        lines += _wrapped(f"Off: {one.off}. Data: {', '.join(DATA[letter] for letter in one.needs)}.", "    ")
    if one.look_alike:
        lines += _wrapped(f"Tells apart: {one.look_alike}.", "    ")
    if one.published:
        lines += _wrapped(f"Published: {one.published}.", "    ")
    return [*lines, f"    In force from {one.since}{f' to {one.until}' if one.until else ''}. {one.source}"]


def _model(model: Model) -> str:
    if model.kind == "share":
        return f"In this typology the share is {model.mean:.0%} on average (concentration {model.concentration:g})."
    if model.kind == "upto":
        numbers = ", ".join(f"{number}: {share:.0%}" for number, share in enumerate(model.shares, 1))
        return f"In this typology, as far as there are so many payments: {numbers}."
    bounds = ["less", *[f"from {edge}" for edge in model.edges]]
    return "In this typology: " + ", ".join(
        f"{bound} {share:.0%}" for bound, share in zip(bounds, model.shares, strict=True)
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
