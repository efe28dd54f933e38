"""Entries of the ledger as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SENTENCES: Mapping[str, str] = {
    "look": "{by} ({role}) looked at {what} ({shown}) for {purpose}.",
    "reveal": "{by} opened a {shown} of case {case} for {purpose}; {granted_s} s were granted.",
    "covered": "{by} covered case {case} again after {seconds} s.",
    "signed-in": "{by} signed in as {role}.",
    "signed-out": "{by} signed out.",
    "sign-in-failed": "Somebody failed to sign in as {account}; {tries} tries in a row.",
    "account-made": "An account was made; its role is {role}.",
    "account-changed": "{by} changed the account {account}.",
    "shift-begun": "{by} ({role}) began a shift.",
    "shift-ended": "{by} ({role}) ended their shift.",
    "break": "{by} began a break.",
    "opted-out": "{by} wants to see no more items this shift.",
    "stream-registered": "{by} registered the stream {stream}: {visibility}, on the basis “{basis}”.",
    "stream-updated": "{by} told something new of the stream {stream}.",
    "stream-ended": "{by} ended the stream {stream}.",
    "audit-export": "{by} took a copy of the entries {first} to {last}.",
    "audit-verified": "{by} had the whole record verified: {result}",
    "claim": "{by} claimed case {case}.",
    "take-over": "{by} took over case {case}.",
    "release": "{by} gave back case {case}.",
    "judgement": "{by} decided case {case}: {verdict}, on {clause}, because: {reason}.",
    "verdict": "{by} decided case {case}: {verdict}, on {clause}.",
    "appeal-answered": "{by} answered the appeal of case {case}, because: {reason}.",
    "second": "{by} was the second person of case {case}.",
    "undo": "{by} undid the decision of case {case}.",
    "appeal": "{by} appealed the decision of case {case}.",
    "reversal": "{by} reversed the decision of case {case}, on {clause}, because: {reason}.",
    "report": "A report of the stream {stream} came in.",
}
_LONGEST = 300


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"[no {key}]"


def told(entry: Mapping[str, Any]) -> str:
    """Return an entry as a sentence; one of an unknown kind as its fields."""
    kind = str(entry.get("kind", "entry"))
    values = _Known({key: str(value)[:_LONGEST] for key, value in entry.items()})
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(values)
    said = "; ".join(f"{key}: {value}" for key, value in values.items() if key not in {"kind", "at"})
    return f"{kind.replace('-', ' ').capitalize()}: {said}."[: 3 * _LONGEST]
