"""What a pack would change for a person, in words."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from lightship.core.errors import LightshipError
from lightship.core.ladder import DetectorUse, Policy
from lightship.core.manifest import Manifest
from lightship.core.pack import Pack

T = TypeVar("T")

_PLAIN = {
    "title": "its title",
    "jurisdiction": "where its help lines come from",
    "audience": "whose help lines it shows",
    "legal_basis": "its legal basis",
    "test": "whether it is a test policy",
    "when_blind": "what happens while detection cannot see",
    "blind_after_s": "seconds of silence that count as blind",
    "hold_back_s": "seconds that the picture is held back",
    "slow_fps": "looks a second at rest",
    "fast_fps": "looks a second while evidence rises",
    "release": "what ends a cover",
    "release_after_s": "seconds that the picture must be clear first",
    "grace_s": "seconds after a person's resume in which nothing counts",
    "detector_kind": "how evidence is added up",
    "card_title": "the title on the still card",
    "card_lines": "the words on the still card",
}


def changes(old: Pack | None, new: Pack) -> list[str]:
    """Return what would change for a person between two packs, one sentence each; both have been checked.

    Parameters
    ----------
    old
        What is in force; None if nothing is.
    """
    before = old or Pack(new.name, 1, "", {})
    found: list[str] = []
    if old is not None and old.title != new.title:
        found.append(f"title: {old.title!r} → {new.title!r}")
    found += _each("policy", before.policies, new.policies, _whole_policy, _policy)
    found += _each("model card", before.cards, new.cards, _whole_card, _card)
    found += _lists(before, new)
    for room in ("calibrations", "jurisdictions", "lists", "controls", "typologies"):
        found += _texts(room, before, new)
    return found


def _each(
    kind: str,
    old: Mapping[str, T],
    new: Mapping[str, T],
    whole: Callable[[T], str],
    changed: Callable[[T, T], Iterator[str]],
) -> Iterator[str]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield f"{kind} {name}: removed"
        elif name not in old:
            yield f"new {kind} {name}: {whole(new[name])}"
        else:
            yield from (f"{kind} {name}: {one}" for one in changed(old[name], new[name]))


def _budget(policy: Policy, index: int) -> str:
    rule = policy.rungs[index]
    return f"{rule.rung} at most {rule.budget} by mistake"


def _whole_policy(policy: Policy) -> str:
    labels = sorted({label for use in policy.detectors for label in use.labels})
    rungs = ", ".join(_budget(policy, index) for index in range(len(policy.rungs)))
    return f"acts on {', '.join(labels)}; {rungs}; for {policy.audience}, on this basis: {policy.legal_basis}"


def _policy(old: Policy, new: Policy) -> Iterator[str]:
    before, after = ({rule.rung: rule for rule in policy.rungs} for policy in (old, new))
    for rung in sorted({*before, *after}, key=lambda rung: list({**before, **after}).index(rung)):
        if rung not in after:
            yield f"it would {rung} no more"
        elif rung not in before:
            yield f"it could {rung}, at most {after[rung].budget} by mistake, which it cannot now"
        else:
            was, is_ = before[rung], after[rung]
            if was.budget != is_.budget:
                times = was.budget.mean_time_s / is_.budget.mean_time_s
                how = f"{times:.3g} times as many" if times > 1 else f"{1 / times:.3g} times fewer"
                yield f"{rung} budget {was.budget} → {is_.budget}: {how} mistakes allowed"
            if was.block_s != is_.block_s:
                yield f"{rung} block {was.block_s:g} s → {is_.block_s:g} s"
            if was.after_s != is_.after_s:
                yield f"{rung} after {was.after_s:g} s of cover → {is_.after_s:g} s"
    yield from _detectors(old, new)
    for field, words in _PLAIN.items():
        was, is_ = getattr(old, field), getattr(new, field)
        if was != is_:
            yield f"{words}: {_said(was)} → {_said(is_)}"


def _detectors(old: Policy, new: Policy) -> Iterator[str]:
    before, after = ({use.name: use for use in policy.detectors} for policy in (old, new))
    for name in sorted({*before, *after}):
        was, is_ = before.get(name), after.get(name)
        if is_ is None:
            yield f"the detector {name} would look no more"
        elif was is None:
            yield f"the detector {name} would look, for {', '.join(sorted(is_.labels))}"
        else:
            yield from (f"the detector {name} {one}" for one in _use(was, is_))


def _use(was: DetectorUse, is_: DetectorUse) -> Iterator[str]:
    if is_.labels - was.labels:
        yield f"would also act on {', '.join(sorted(is_.labels - was.labels))}"
    if was.labels - is_.labels:
        yield f"would act no more on {', '.join(sorted(was.labels - is_.labels))}"
    for field in ("calibration", "group", "required", "options"):
        before, after = getattr(was, field), getattr(is_, field)
        if before != after:
            yield f"has {field} {_said(before)} → {_said(after)}"


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return " / ".join(_said(one) for one in value) or "nothing"
    return (
        f"“{value}”" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _model(card: Mapping[str, Any]) -> str:
    return f"{str(card['sha256'])[:12]}…"


def _counts(card: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(map(str, card.get("output", {}).get("counts", ())))


def _whole_card(card: Mapping[str, Any]) -> str:
    counts = ", ".join(sorted(_counts(card))) or "nothing"
    return f"{card.get('title', 'a model')}, model {_model(card)}, licence {card.get('licence')}; it counts {counts}"


def _card(was: Mapping[str, Any], is_: Mapping[str, Any]) -> Iterator[str]:
    if was["sha256"] != is_["sha256"]:
        yield f"ANOTHER MODEL: {_model(was)} → {_model(is_)}"
    before, after = _counts(was), _counts(is_)
    if after - before:
        yield f"would also count {', '.join(sorted(after - before))}"
    if before - after:
        yield f"would count no more {', '.join(sorted(before - after))}"
    for field in sorted({*was, *is_} - {"sha256"}):
        if was.get(field) != is_.get(field) and before == after:
            yield f"{field} {_said(was.get(field))} → {_said(is_.get(field))}"


def _lists(old: Pack, new: Pack) -> Iterator[str]:
    for name in sorted({*old.manifests, *new.manifests}):
        was, is_ = old.manifests.get(name), new.manifests.get(name)
        if is_ is None:
            yield f"list {name}: removed"
            continue
        signers = f"signers {', '.join(new.signers_of(name))}"
        if was is None:
            yield f"new list {name}: {_more(is_, None)}, version {is_.version} of {is_.as_of}, {signers}"
        elif was != is_:
            yield f"list {name}: {_more(is_, was)}, version {was.version} → {is_.version} of {is_.as_of}, {signers}"
        keys = (pack.files.get(f"lists/{name}.keys", "").split() for pack in (old, new))
        if was is not None and len({tuple(sorted(set(one))) for one in keys}) > 1:
            yield f"list {name}: OTHERS MAY VOUCH for it than before"


def _more(new: Manifest, old: Manifest | None) -> str:
    kinds = {**dict.fromkeys(old.counts if old else (), 0), **new.counts}
    by = {kind: new.counts.get(kind, 0) - (old.counts.get(kind, 0) if old else 0) for kind in kinds}
    total = sum(by.values())
    changed = "" if total or old is None or old.digest == new.digest else ", and others in place of some"
    return f"{total:+,} entries{changed}"


def _texts(room: str, old: Pack, new: Pack) -> Iterator[str]:
    handled = (".manifest", ".keys")
    paths = {path for pack in (old, new) for path in pack.files if path.startswith(f"{room}/")}
    for path in sorted(path for path in paths if not path.endswith(handled)):
        was, is_ = old.files.get(path), new.files.get(path)
        if was == is_:
            continue
        if was is None or is_ is None:
            yield f"{'new ' if was is None else ''}{path}{'' if was is None else ': removed'}"
        elif room == "calibrations":
            yield f"{path}: {_hours(was)} → {_hours(is_)}"
        else:
            lines = difflib.ndiff(was.splitlines(), is_.splitlines())
            yield from (f"{path}: {line}" for line in lines if line[:2] in {"- ", "+ "} and line[2:].strip())


def _hours(text: str) -> str:
    try:
        seconds = [second for stream in json.loads(text)["streams"] for second in stream["lengths_s"]]
    except (LightshipError, ValueError, KeyError, TypeError):
        return "another table"
    return f"{sum(seconds) / 3600.0:.1f} benign hours"
