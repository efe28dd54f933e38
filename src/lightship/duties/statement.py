"""The running configuration, and the public statement of what is scanned and why that is made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from lightship.core.canonical import canonical, digest
from lightship.core.duties import Paper
from lightship.core.known import Terms
from lightship.core.ladder import Policy
from lightship.core.ports import Work
from lightship.core.retention import Retention
from lightship.duties import record_book_papers as papers
from lightship.duties.record_book_html import code, document, listed
from lightship.exchange.one_page import facts

FORMAT = "lightship.statement/1"

SEEN = {
    "known-media": "pictures that are on a list of known child sexual abuse material, or nearly the same as one",
    "exposed": "exposed skin of the kind that the policy covers",
    "test-card": "a benign test card",
    "camera-frozen": "whether the camera's picture is frozen",
    "camera-black": "whether the camera's picture is black",
}
"""What each label of the closed set means to a reader."""

RESPONSES = {
    "observe": "the stream is looked at more often",
    "blur": "the picture is covered",
    "pause": "the picture is covered",
    "end": "the stream is stopped",
}


def configuration_of(
    policies: Iterable[Policy],
    lists: Iterable[Terms],
    *,
    private_bases: Iterable[str],
    retention: Retention,
    controls: Mapping[str, str],
    most_streams: int,
    release: str,
) -> dict[str, Any]:
    """Return what runs, as JSON; its digest names it.

    A new version of a list changes nothing here: lists are refreshed daily. Its terms do.

    Parameters
    ----------
    lists
        The terms of those that are matched against.
    private_bases
        The bases on which private streams may be looked at.
    controls
        Name, version and digest of the rules for livestreams.
    """
    return {
        "format": "lightship.configuration/1",
        "release": release,
        "policies": [_policy(one) for one in sorted(policies, key=lambda one: one.name)],
        "lists": [
            {
                "name": one.name,
                "role": one.role,
                "owner": one.owner,
                "distance_bits": one.distance,
                "max_age_days": one.max_age_days,
            }
            for one in sorted(lists, key=lambda one: one.name)
        ],
        "private_bases": sorted(private_bases),
        "retention": {
            "name": retention.name,
            "title": retention.title,
            "version": retention.version,
            "digest": retention.digest,
            "terms": [one.says for one in retention.terms],
        },
        "controls": dict(controls),
        "most_streams": most_streams,
    }


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "version": policy.version,
        "title": policy.title,
        "digest": policy.digest,
        "legal_basis": policy.legal_basis,
        "test": policy.test,
        "detectors": [
            {"name": one.name, "labels": sorted(one.labels), "required": one.required}
            for one in policy.detectors
        ],
        "rungs": [{"rung": one.rung, "budget": str(one.budget)} for one in policy.rungs],
        "when_blind": policy.when_blind,
    }


def note_configuration(work: Work, configuration: Mapping[str, Any], *, by: str, now: Any) -> Paper:
    """Keep what runs now as a paper, if it is not what ran before."""
    name = digest(configuration)
    return papers.write(
        work, "configuration", configuration, subject="platform", author=by, now=now, configuration=name
    )


_PEOPLE = (
    "A machine stops and ranks; a trained person decides, and only a person reports anybody.",
    "Of every act it is on record whether a machine was used. Whoever is affected can ask, and can appeal.",
    "An appeal is answered by somebody who had no part in the decision, and what was wrong is undone.",
    "Anybody can report a stream with the button on it, and complain that technology was used against the terms.",
)


def statement_of(configuration: Mapping[str, Any], service: str = "") -> dict[str, Any]:
    """Return the public statement as JSON: its sentences, and the configuration that they were made from."""
    bases = configuration["private_bases"]
    looked = []
    for policy in configuration["policies"]:
        labels = [SEEN.get(label, label) for one in policy["detectors"] for label in one["labels"]]
        looked.append(f"{policy['title']}: {'; '.join(labels)}.")
    return {
        "format": FORMAT,
        "service": service,
        "digest": digest(configuration),
        "whose": [
            "Public live streams are looked at while they run.",
            "Private streams are not looked at."
            if not bases
            else f"Private streams are looked at only on a recorded basis: {'; '.join(bases)}.",
        ],
        "what": looked,
        "why": [f"{policy['title']}: {policy['legal_basis']}" for policy in configuration["policies"]],
        "lists": [_list(one) for one in configuration["lists"]] or ["No list is matched against."],
        "then": [
            f"On enough evidence {RESPONSES.get(one['rung'], one['rung'])}. Wrongly this may happen at most "
            f"{_budget(one['budget'])} of benign streams."
            for policy in configuration["policies"]
            for one in policy["rungs"]
        ],
        "people": list(_PEOPLE),
        "kept": [
            "Pictures that lead to nothing are kept nowhere.",
            *configuration["retention"]["terms"],
        ],
        "not": [
            "No face is matched, no private message is read, and nothing is scanned without a basis on record.",
        ],
        "configuration": dict(configuration),
    }


def _budget(budget: str) -> str:
    """Return an alarm budget for readers.

    Examples
    --------
    >>> _budget("1 per 1000 h"), _budget("20 per h")
    ('1 in 1000 hours', '20 in an hour')
    """
    count, _, per = budget.partition(" per ")
    return f"{count} in {'an hour' if per == 'h' else per.removesuffix(' h') + ' hours'}"


def _list(one: Mapping[str, Any]) -> str:
    role = {"known": "known material, which is acted on", "negative": "lawful material, which overrides"}
    owner = f" of {one['owner']}" if one["owner"] else ""
    near = f"pictures within {one['distance_bits']} of 256 bits match"
    return f"“{one['name']}”{owner}: {role.get(one['role'], one['role'])}; {near}."


_PARTS: Sequence[tuple[str, str]] = (
    ("whose", "Whose streams are looked at"),
    ("what", "What is looked for"),
    ("why", "Why this may be done"),
    ("lists", "The lists that are matched against"),
    ("then", "What happens"),
    ("people", "What people do, and what you can do"),
    ("kept", "What is kept"),
    ("not", "What is not done"),
)


def statement_page(statement: Mapping[str, Any]) -> bytes:
    """Return the statement as a document; it holds the configuration itself, so that anybody can check its digest."""
    title = "What we scan and why"
    who = f"<p>{escape(statement['service'])}</p>" if statement["service"] else ""
    parts = "".join(f"<h2>{escape(words)}</h2>\n{listed(statement[name])}" for name, words in _PARTS)
    text = canonical(statement["configuration"]).decode()
    return document(
        title,
        f"<header><h1>{title}</h1>{who}</header>\n<main>\n{parts}<h2>What it was made from</h2>\n"
        "<p>This statement is made from the running configuration. The SHA-256 of the text below, its canonical "
        "JSON, is the digest; when the configuration changes, so does this statement.</p>\n"
        + facts([("Digest", code(statement["digest"]))])
        + f"<details><summary>The configuration</summary><pre>{escape(text)}</pre></details></main>",
    )


def statement_text(statement: Mapping[str, Any]) -> str:
    """Return the statement as Markdown."""
    lines = ["# What we scan and why", ""]
    for name, words in _PARTS:
        lines += [f"## {words}", "", *(f"- {one}" for one in statement[name]), ""]
    return "\n".join([*lines, f"Made from the configuration {statement['digest']}.", ""])
