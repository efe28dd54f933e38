"""What a platform writes by hand: its risk assessment and its statement of measures, as TOML, checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, cast, get_args

from lightship.core.errors import InputError
from lightship.duties.measures import MeasureTable

Level = Literal["negligible", "low", "medium", "high"]
LEVELS: tuple[Level, ...] = get_args(Level)
STEPS = ("understand", "assess", "decide", "report")
"""The four steps of Ofcom's guidance: the harms, the risk of each, the measures, the report and its review."""

Stand = Literal["taken", "alternative", "does-not-apply"]
STANDS: tuple[Stand, ...] = get_args(Stand)

_ASSESSMENT = {
    *("form", "service", "date", "author", "responsible", "users", "declares", "profiles", "governance"),
    *("steps", "harms"),
}
_HARM = {"id", "likelihood", "impact", "level", "factors", "evidence", "findings", "why"}
_MEASURES = {"form", "service", "date", "author", "measures"}
_ROW = {"id", "stands", "since", "how", "evidence", "instead", "why"}
_CRISIS = ("terrorism", "hate", "foreign-interference")


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was read.

    Parameters
    ----------
    body
        Its contents, days as ISO 8601 text.
    problems
        What is wrong with it, in sentences; a form with any is not kept.
    """

    kind: Literal["assessment", "measures"]
    service: str
    body: dict[str, Any]
    problems: tuple[str, ...]


def read_form(text: str, where: str, table: MeasureTable, assessment: Mapping[str, Any] | None) -> Form:
    """Read a form and check it.

    Parameters
    ----------
    assessment
        That in force, by which it is known which measures bind; None where there is none.

    Raises
    ------
    InputError
        If it is no TOML, or no form.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The form is not TOML: {error}.", where, "Correct the line.") from error
    kind = found.get("form")
    if kind not in {"assessment", "measures"}:
        raise InputError(
            "It says not which form it is.", where, 'Begin with form = "assessment" or form = "measures".'
        )
    try:
        problems = tuple(
            _assessment(found, table) if kind == "assessment" else _measures(found, table, assessment)
        )
    except (TypeError, AttributeError, ValueError, KeyError) as error:
        raise InputError(
            f"The form cannot be read: {error}.", where, "Compare it with the empty form."
        ) from error
    return Form(
        cast(Literal["assessment", "measures"], kind), str(found.get("service", "")), _plain(found), problems
    )


def facts_of(assessment: Mapping[str, Any], table: MeasureTable) -> frozenset[str]:
    """Return which facts hold of a service, from its assessment."""
    users = int(assessment.get("users", 0))
    levels = {str(one["id"]): str(one["level"]) for one in assessment.get("harms", ())}
    parts = {one.id: one.part_of or one.id for one in table.harms}
    risky = {parts.get(id_, id_) for id_, level in levels.items() if level in {"medium", "high"}}

    def at(names: Iterable[str], stem: str) -> Iterator[str]:
        found = {levels.get(name, "") for name in names}
        if found & {"medium", "high"}:
            yield f"{stem}-medium"
        if "high" in found:
            yield f"{stem}-high"

    found = {"all", *map(str, assessment.get("declares", ()))}
    found.add("large" if users > table.large_users else "small")
    found.add("multi" if len(risky) >= 2 else "single")
    found |= {"users-700k"} if users > table.many_users else set()
    found |= {"any-medium"} if risky else set()
    for name, stem in (
        ("csea-image", "image"),
        ("csea-url", "url"),
        ("csea-grooming", "grooming"),
        ("intimate-images", "intimate"),
    ):
        found |= set(at([name], stem))
    return frozenset(found | set(at(_CRISIS, "crisis")))


def _assessment(form: Mapping[str, Any], table: MeasureTable) -> Iterator[str]:
    yield from _keys(form, _ASSESSMENT, "the assessment")
    yield from _texts(form, ("service", "author", "responsible", "governance"), "the assessment")
    day = form.get("date")
    if type(day) is not date:
        yield "The assessment has no date."
        return
    if type(form.get("users")) is not int or form["users"] < 0:
        yield "The number of monthly users in the country (users) is missing."
    declared = {name for name, said in table.facts.items() if said.startswith("declared")}
    for name in sorted(set(form.get("declares", ())) - declared):
        yield f"It declares “{name}”, which is none of {', '.join(sorted(declared))}."
    if not form.get("profiles"):
        yield "It names none of Ofcom's Risk Profiles."
    for step in STEPS:
        if not str(form.get("steps", {}).get(step, "")).strip():
            yield f"The step “{step}” of the four says nothing."
    yield from _harms(form, table, day)


def _harms(form: Mapping[str, Any], table: MeasureTable, day: date) -> Iterator[str]:
    given = {str(one.get("id")): one for one in form.get("harms", ())}
    wanted = {one.id: one for one in table.harms_on(day)}
    for id_ in sorted(given.keys() - wanted.keys()):
        yield f"“{id_}” is no kind of harm that is assessed on {day}."
    if len(given) != len(form.get("harms", ())):
        yield "A kind of harm stands twice."
    held = set(form.get("declares", ()))
    for id_, harm in wanted.items():
        if id_ not in given:
            yield f"The kind of harm “{id_}” ({harm.title}) is not assessed."
            continue
        yield from _of_harm(given[id_], f"“{id_}”")
        for factor in sorted(harm.factors & held - set(given[id_].get("factors", ()))):
            yield f"“{id_}” does not name the risk factor “{factor}”, which the service has."


def _of_harm(harm: Mapping[str, Any], where: str) -> Iterator[str]:
    yield from _keys(harm, _HARM, where)
    wrong = [name for name in ("likelihood", "impact", "level") if harm.get(name) not in LEVELS]
    for name in wrong:
        yield f"{where}: {name} is none of {', '.join(LEVELS)}."
    if not wrong:
        rank = {name: LEVELS.index(harm[name]) for name in ("likelihood", "impact", "level")}
        below = rank["level"] < min(rank["likelihood"], rank["impact"])
        if below and not str(harm.get("why", "")).strip():
            yield f"{where}: the level is below both likelihood and impact, and does not say why."
    if not harm.get("evidence"):
        yield f"{where} names no evidence."
    if not str(harm.get("findings", "")).strip():
        yield f"{where} has no findings."


def _measures(
    form: Mapping[str, Any], table: MeasureTable, assessment: Mapping[str, Any] | None
) -> Iterator[str]:
    yield from _keys(form, _MEASURES, "the statement")
    yield from _texts(form, ("service", "author"), "the statement")
    day = form.get("date")
    if type(day) is not date:
        yield "The statement has no date."
        return
    if assessment is None:
        yield "No approved risk assessment says which measures bind. Take and approve one first."
        return
    facts = facts_of(assessment, table)
    given = {str(one.get("id")): one for one in form.get("measures", ())}
    wanted = {one.id: one for one in table.on(day)}
    for id_ in sorted(given.keys() - wanted.keys()):
        yield f"“{id_}” is no measure that is in force on {day}."
    if len(given) != len(form.get("measures", ())):
        yield "A measure stands twice."
    for id_, measure in wanted.items():
        if id_ not in given:
            yield f"{id_} is missing: {measure.says}"
        else:
            yield from _of_row(given[id_], id_, binds=measure.binds(facts))


def _of_row(row: Mapping[str, Any], id_: str, *, binds: bool) -> Iterator[str]:
    yield from _keys(row, _ROW, id_)
    stands = row.get("stands")
    needed = {"taken": ("how",), "alternative": ("instead", "why"), "does-not-apply": ("why",)}
    if stands not in needed:
        yield f"{id_}: stands is none of {', '.join(STANDS)}."
        return
    for name in needed[stands]:
        if not str(row.get(name, "")).strip():
            yield f"{id_} is “{stands}” and does not say {name}."
    if stands != "does-not-apply" and type(row.get("since")) is not date:
        yield f"{id_} does not say since which day."
    if stands == "does-not-apply" and binds:
        yield f"{id_} binds this service by its assessment: say what is taken, or what is done instead and why."


def _keys(table: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    for name in sorted(set(table) - known):
        yield f"“{name}” of {where} is not known."


def _texts(table: Mapping[str, Any], names: Iterable[str], where: str) -> Iterator[str]:
    for name in names:
        if not isinstance(table.get(name), str) or not table[name].strip():
            yield f"“{name}” of {where} is missing."


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def empty_form(kind: str, table: MeasureTable, day: date) -> str:
    """Return a form to fill in, with a row for all that is in force on a day.

    Raises
    ------
    InputError
        If there is no such form.
    """
    if kind == "assessment":
        head = [
            'form = "assessment"',
            'service = ""',
            f"date = {day}",
            'author = ""',
            'responsible = ""  # who is accountable for illegal content safety',
            "users = 0  # a month, in the country",
            "declares = []  # of: "
            + ", ".join(n for n, s in table.facts.items() if s.startswith("declared")),
            "profiles = []  # Ofcom's Risk Profiles that apply",
            'governance = ""  # to whom the findings went, and when',
            "",
            "[steps]",
            *(f'{step} = ""' for step in STEPS),
        ]
        rows = [
            f'\n[[harms]]  # {one.title}\nid = "{one.id}"\nlikelihood = ""\nimpact = ""\nlevel = ""'
            f'\nfactors = []\nevidence = []\nfindings = ""'
            for one in table.harms_on(day)
        ]
    elif kind == "measures":
        head = ['form = "measures"', 'service = ""', f"date = {day}", 'author = ""']
        rows = [
            f'\n[[measures]]  # {one.says}\n# For: {one.who}.\nid = "{one.id}"\nstands = ""  # {", ".join(STANDS)}'
            f'\nsince = {day}\nhow = ""\ninstead = ""\nwhy = ""'
            for one in table.on(day)
        ]
    else:
        raise InputError(f"“{kind}” is no form.", "", "Ask for assessment or measures.")
    return "\n".join([*head, *rows]) + "\n"
