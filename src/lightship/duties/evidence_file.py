"""The evidence file of a detector: what a technology notice, a code of practice or a buyer asks, and where it stands.

Each part is told or said to be missing and why. What it rests on: the evaluation card of ``lightship evaluate``, the
robustness card of the matching, the lists' six-month records, and what people decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from lightship.core.canonical import digest
from lightship.core.errors import InputError
from lightship.duties.measures_period import Period
from lightship.duties.measures_tally import Value, share
from lightship.duties.record_book_html import code, document, note
from lightship.duties.record_book_words import in_words, share_in_words
from lightship.exchange.one_page import facts, table

FORMAT = "lightship.evidence-file/1"
CARD = "lightship.evaluation/1"

_GROUPS = "lighting, language, codec, resolution and bitrate are not measured apart by the evaluation card"


def evidence_of(
    card: Mapping[str, Any],
    configuration: Mapping[str, Any] | None,
    figures: Mapping[str, Value],
    period: Period,
    *,
    robustness: Mapping[str, Any] | None,
    owner: str,
    code: Mapping[str, str],
) -> dict[str, Any]:
    """Return the file as JSON.

    Parameters
    ----------
    card
        What ``lightship evaluate`` wrote as card.json.
    configuration
        The running one; None where none is on record.
    figures
        Of the period: the lists, their settings, verdicts and appeals.
    robustness
        The card of ``docs/robustness.json``; None where it was not given.

    Raises
    ------
    InputError
        If the card is none.
    """
    if card.get("format") != CARD:
        raise InputError(
            "This is no evaluation card.", "--evaluation", "Give card.json of `lightship evaluate`."
        )
    card = _finite(card)
    policy = _policy(configuration, str(card["policy_digest"]))
    parts = {
        "version": {
            "policy": card["policy"],
            "digest": card["policy_digest"],
            "detectors": card["detectors"],
        },
        "calibrations": card["calibrations"] or "none: every detector's evidence is analytic",
        "intended use": policy.get("legal_basis") or None,
        "test set": {
            "footage": card["footage"] or "not described: name it with the evaluation",
            "benign_hours": card["benign_hours"],
            "benign_streams": card["benign_streams"],
            "marked_streams": card["marked_streams"],
            "material": "synthetic or benign; no abuse material is held or used",
        },
        "precision": figures.get("accuracy"),
        "recall": [_recall(one) for one in card["rungs"]],
        "false positives": [_false(one) for one in card["rungs"]],
        "by group": card["fairness"],
        "robustness": dict(robustness) if robustness is not None else None,
        "latency": {
            "look_ms": card["look_ms"],
            "delay_s": {one["rung"]: one["delay_s"] for one in card["rungs"]},
            "aware_to_stopped": figures.get("aware-to-stopped"),
        },
        "threshold": [
            {
                "rung": one["rung"],
                "alarm_db": one["alarm_db"],
                "false_promised_per_hour": one["promised_per_hour"],
                "extrapolated": one["extrapolated"],
            }
            for one in card["rungs"]
        ],
        "drift": figures.get("drift"),
        "reviews": {name: figures.get(name) for name in ("verdicts", "reversals", "appeals")},
        "six-month record": figures.get("tuning"),
        "list security": figures.get("lists"),
        "change log": figures.get("statement"),
        "owner": owner or None,
    }
    lacking = {
        "intended use": "the evaluated policy is not the one that runs, or none is on record",
        "precision": "no verdict on a machine's case was given in the period",
        "robustness": "no robustness card was given",
        "owner": "nobody was named with --owner",
    }
    missing = [f"{name}: {why}" for name, why in lacking.items() if _nothing(parts[name])]
    missing += [f"recall of {one['rung']}: {one['unknown']}" for one in parts["recall"] if one["unknown"]]
    missing += [f"by group: {name}" for name, one in card["fairness"].items() if isinstance(one, str)]
    missing.append(f"by group: {_GROUPS}")
    return {
        "format": FORMAT,
        "period": period.told(),
        "parts": parts,
        "missing": missing,
        "absent": dict(card["absent"]),
        "made_from": {"card": digest(dict(card)), **code},
    }


def _finite(value: Any) -> Any:
    """Return the value with None for what is infinite, or no number: canonical JSON has neither."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _nothing(part: Any) -> bool:
    return part is None or (isinstance(part, Mapping) and part.get("of") == 0)


def _policy(configuration: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    found = [one for one in (configuration or {}).get("policies", ()) if one["digest"] == name]
    return found[0] if found else {}


def _recall(rung: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many of the marked spans the rung, or a graver one, answered, with exact bounds."""
    if "reached" not in rung:
        return {"rung": rung["rung"], **share(0, 0), "unknown": "the card is of an earlier release"}
    unknown = "" if rung["onsets"] else "no marked stream"
    return {"rung": rung["rung"], **share(int(rung["reached"]), int(rung["onsets"])), "unknown": unknown}


def _false(rung: Mapping[str, Any]) -> dict[str, Any]:
    names = ("promised_per_hour", "false", "seen_per_hour", "lower_95_per_hour", "upper_95_per_hour", "shown")
    return {"rung": rung["rung"], **{name: rung[name] for name in names}}


def evidence_page(found: Mapping[str, Any]) -> bytes:
    """Return the file as a document."""
    parts = found["parts"]
    title = f"Evidence file: policy “{parts['version']['policy']}”, {found['period']['name']}"
    head = [
        ("Policy", code(parts["version"]["digest"])),
        *((f"Detector {name}", escape(str(one))) for name, one in parts["version"]["detectors"].items()),
        *((f"Absent: {name}", escape(str(why))) for name, why in found["absent"].items()),
        ("Intended use", escape(parts["intended use"] or "not known")),
        ("Owner", escape(parts["owner"] or "not named")),
    ]
    test = parts["test set"]
    body = "".join(
        (
            f"<header><h1>{escape(title)}</h1>{facts(head)}</header>\n<main>\n",
            note("Not measured, or not known:", found["missing"]) if found["missing"] else "",
            "<h2>What it was tested on</h2>\n",
            facts(
                [
                    ("Footage", escape(test["footage"])),
                    ("Benign", f"{test['benign_hours']:.2f} hours in {test['benign_streams']} streams"),
                    ("Marked", f"{test['marked_streams']} streams"),
                    ("Material", escape(test["material"])),
                ]
            ),
            "<h2>Recall</h2>\n",
            table(
                "Marked spans that were answered, with exact 95 % bounds",
                ("Response", "Answered", "Of", "Share", "Between"),
                (
                    (escape(one["rung"]), f"{one['count']:,}", f"{one['of']:,}", *_percent(one))
                    for one in parts["recall"]
                ),
                numbers=(1, 2, 3, 4),
            ),
            "<h2>False responses</h2>\n",
            table(
                "An hour of benign streams, with exact Poisson 95 % bounds",
                ("Response", "Promised", "Seen", "Between", "Shown by these hours"),
                (
                    (
                        escape(one["rung"]),
                        f"{one['promised_per_hour']:.3g}",
                        f"{one['false']}",
                        f"{one['lower_95_per_hour']:.3g} and {_number(one['upper_95_per_hour'])}",
                        "yes" if one["shown"] else "no",
                    )
                    for one in parts["false positives"]
                ),
                numbers=(1, 2, 3),
            ),
            "<h2>Precision, reviews and reversals in operation</h2>\n",
            facts(
                [
                    (
                        "Precision",
                        escape(share_in_words(parts["precision"], "confirmed"))
                        if parts["precision"]
                        else "–",
                    ),
                    ("Verdicts", escape(in_words("verdicts", parts["reviews"]["verdicts"]))),
                    ("Appeals", escape(in_words("appeals", parts["reviews"]["appeals"]))),
                    (
                        "Aware to stopped",
                        escape(in_words("aware-to-stopped", parts["latency"]["aware_to_stopped"])),
                    ),
                    ("A look", f"{parts['latency']['look_ms']:.2f} ms of processor"),
                ]
            ),
            _tuning(parts["six-month record"]),
            "<h2>Thresholds, and why</h2>\n",
            table(
                "The level that fires each response follows from the alarm budget that it promises",
                ("Response", "Level", "False, promised an hour", "Extrapolated"),
                (
                    (
                        escape(one["rung"]),
                        f"{one['alarm_db']:.1f} dB",
                        f"{one['false_promised_per_hour']:.3g}",
                        "yes: more benign hours would show it" if one["extrapolated"] else "no",
                    )
                    for one in parts["threshold"]
                ),
                numbers=(1, 2),
            ),
            "<h2>Lists, changes and rises</h2>\n",
            facts(
                [
                    ("Lists", escape(in_words("lists", parts["list security"]))),
                    ("Configuration", escape(in_words("statement", parts["change log"]))),
                    ("Rises", escape(in_words("drift", parts["drift"]))),
                ]
            ),
            _robustness(parts["robustness"]),
            "<h2>What it was made from</h2>\n",
            facts([(name, code(str(one))) for name, one in found["made_from"].items()]),
            "</main>",
        )
    )
    return document(title, body)


def _tuning(record: Value | None) -> str:
    rows = (record or {}).get("lists", {})
    head = "<h2>Six-month record of settings (C9)</h2>\n"
    if not rows:
        return f"{head}<p>No governed list is on record.</p>\n"
    return head + table(
        "Sampled matches that people reviewed, with exact 95 % bounds",
        ("List", "Reviewed", "Of all matches", "Precision", "Between", "Decided", "Due"),
        (
            (
                escape(name),
                f"{one['reviewed']['count']:,}",
                _percent(one["reviewed"])[0],
                *_percent(one["precision"]),
                one["decided"] or "never",
                one["due"] + (" OVERDUE" if one["overdue"] else ""),
            )
            for name, one in rows.items()
        ),
        numbers=(1, 2, 3, 4),
    )


def _robustness(card: Mapping[str, Any] | None) -> str:
    if card is None:
        return ""
    return "<h2>Robustness to edits and transcoding</h2>\n" + table(
        f"Recall of altered pictures within {card['limit']} bits, among {card['decoys']:,} decoys",
        ("Alteration", "Strength", *card["ways"]),
        (
            (
                escape(str(one["alteration"])),
                escape(f"{one['strength']} {one['unit']}"),
                *(f"{100 * share_:.0f} %" for share_ in one["recall"]),
            )
            for one in card["rows"]
        ),
        numbers=range(1, 2 + len(card["ways"])),
    )


def _percent(one: Mapping[str, Any]) -> tuple[str, str]:
    if one["share"] is None:
        return "–", "–"
    return f"{100 * one['share']:.3g} %", f"{100 * one['lower_95']:.3g} % and {100 * one['upper_95']:.3g} %"


def _number(value: float | None) -> str:
    return "any number" if value is None else f"{value:.3g}"
