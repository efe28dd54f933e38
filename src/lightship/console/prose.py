"""Entries of the ledger as sentences: every kind that is written has its own, and a test looks for the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lightship.watch.words import LABELS

_LABELS = {name: f"{said[:1].lower()}{said[1:]}" for name, said in LABELS.items()}
_MADE = re.compile(r"[0-9a-f]{24,64}")
Fields = Mapping[str, Any]
Sentence = str | Callable[[Fields], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry.

    Parameters
    ----------
    label
        What it is, in a word or two, for a filter.
    sentence
        A template of the entry's fields, or what makes the sentence of them.
    """

    label: str
    sentence: Sentence


def _count(number: Any, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def short(id_: Any) -> str:
    """Return a name as it is told: of one that is 24 hexadecimal digits or more, the first eight."""
    return str(id_)[:8] if _MADE.fullmatch(str(id_)) else str(id_)


def who(by: Any) -> str:
    """Return who did it: a person's name, or a policy by the first figures of its digest."""
    said = str(by)
    if said.startswith("policy "):
        return f"the policy {said.removeprefix('policy ').removeprefix('sha256:')[:8]}"
    return said or "nobody named"


def _became(entry: Fields) -> str:
    came = " acknowledged;" if entry.get("acknowledged") else ""
    said = f" “{entry.get('outcome')}”" if entry.get("outcome") else " nothing more is said"
    of = f"what {entry.get('to')} was sent of inquiry {short(entry.get('inquiry'))}"
    return f"{who(entry.get('by'))} noted of {of}:{came}{said}."


def _moment(text: Any) -> str:
    try:
        return f"{datetime.fromisoformat(str(text)):%-d %b %Y %H:%M:%S} UTC"
    except ValueError:
        return str(text)


def _decided(entry: Fields) -> str:
    found = [
        f"{_LABELS.get(one['label'], one['label'])}, by {one['detector']}, {one['weight_db']:.0f} dB"
        for one in entry["reasons"]
    ]
    why = "; ".join(found) or {
        "benign": "the picture has been benign since",
        "blind": "nothing could be seen",
    }.get(str(entry["by"]), "no reading stands behind it")
    what = f"the response is now “{entry['rung']}”" if entry["rung"] else "the response was released"
    before = f", before it was “{entry['before']}”" if entry.get("before") else ""
    policy = str(entry["policy_digest"]).removeprefix("sha256:")[:8]
    said = f"Stream {entry['stream']}, {entry['at_s']:g} s in: {what}{before}, because: {why}."
    return f"{said} Policy {policy}, on the basis “{entry['basis']}”."


def _opened(entry: Fields) -> str:
    who = "a report" if entry["opened_by"] == "report" else "a machine"
    parts = ", ".join(
        f"{name} {100 * float(entry[name]):.0f}" for name in ("reach", "severity", "likelihood")
    )
    why = "; ".join(map(str, entry.get("why", ())))
    near = f" It is a near-duplicate of case {entry['near_of']}." if entry.get("near_of") else ""
    said = f"Case {entry['case']} of the stream {entry['stream']} was opened by {who}: {parts} of 100"
    return f"{said}{f' ({why})' if why else ''}.{near}"


def _covered(entry: Fields) -> str:
    came = f"{_count(entry['pictures'], 'picture')} came, {entry['looks']} were matched"
    said = f"Stream {entry['stream']}, minute {entry['minute']}: {came} and {entry['model_looks']} seen by models"
    passed = f"; {entry['model_passed_over']} were passed over" if entry.get("model_passed_over") else ""
    gap = f"; {entry['gap_s']:g} s were NOT looked at" if entry["gap_s"] else "; no gap"
    late = f"; up to {entry['late_s']:.1f} s late" if entry.get("late_s", 0) >= 0.1 else ""
    return f"{said}{passed}{gap}{late}."


def _ended(entry: Fields) -> str:
    found = ", ".join(f"{name} {count} ×" for name, count in dict(entry["troubles"]).items())
    said = f"The watch of the stream {entry['stream']} ended: {entry['reason']}. Troubles: {found or 'none'}."
    return f"{said} {_dropped(entry)}".rstrip()


def _dropped(entry: Fields) -> str:
    count = entry.get("forgot", 0)
    return f"{_count(count, 'picture')} that memory held went with it." if count else ""


def _handed_over(entry: Fields) -> str:
    said = f"This worker handed the stream {entry['stream']} over: {entry['reason']}."
    return f"{said} {_dropped(entry)}".rstrip()


def _taken_over(entry: Fields) -> str:
    gone = f"what that one held in memory of the last {entry['held_s']:g} s is gone"
    whose = f"the worker {entry['worker']}, which was there no more"
    return (
        f"The stream {entry['stream']} was taken over from {whose}; {gone}. "
        f"Nobody looked at it from {_moment(entry['since'])} on."
    )


def _began(entry: Fields) -> str:
    policy = str(entry["policy_digest"]).removeprefix("sha256:")[:8]
    absent = "; ".join(f"{name}: {why}" for name, why in dict(entry["absent"]).items())
    gone = f" ABSENT: {absent}." if absent else " Every detector is there."
    return f"The watch of the stream {entry['stream']} began under the policy {entry['policy']} ({policy}).{gone}"


def _rules(entry: Fields) -> str:
    said = (
        f"What livestreams may do goes by the rules {entry['rules']}; in use: {', '.join(entry['enabled'])}"
    )
    return f"{said}; switched here: {', '.join(entry['switched']) or 'none'}."


def _gap(entry: Fields) -> str:
    part = f"{entry['worker']}: {entry['part']}" if entry.get("worker") else str(entry["part"]).capitalize()
    since, until = _moment(entry["since"]), _moment(entry["until"])
    return f"{part} did not work from {since} to {until}: {entry['reason']}"


def _trouble(entry: Fields) -> str:
    count = f" ({entry['count']} × so far)" if entry.get("count", 1) != 1 else ""
    at = f", {entry['at_s']:g} s in" if "at_s" in entry else ""
    said = str(entry.get("reason") or entry["trouble"]).rstrip(".")
    return f"Stream {entry['stream']}{at}: {said}{count}."


def _ordered(entry: Fields) -> str:
    due = str(entry["due_at"])
    waits = "it waits for a second person" if due.startswith("9") else f"not before {_moment(due)}"
    undoes = f" It undoes the effect {entry['undoes']}." if entry.get("undoes") else ""
    what = f"ordered “{entry['act']}” for the stream {entry['stream']} (case {entry['case']})"
    return f"{who(entry['by'])} {what}; {waits}.{undoes}"


def _done(entry: Fields) -> str:
    took = (
        f" The stream was stopped {entry['aware_to_stopped_s']:.2f} s after awareness."
        if "aware_to_stopped_s" in entry
        else ""
    )
    if entry["act"] == "refer":
        return f"The investigating body has case {entry['case']}, which was referred to it."
    return f"“{entry['act']}” of case {entry['case']} is confirmed by the platform.{took}"


def _undone(entry: Fields) -> str:
    return f"{who(entry['by'])} took back the effect {entry['effect']} of case {entry['case']} before it was sent."


def _verdict(entry: Fields) -> str:
    seen = "its pictures had been opened" if entry["seen"] else "nobody had opened its pictures"
    reused = f" It repeats the decision {entry['reused_of']}." if entry.get("reused_of") else ""
    said = f"{entry['by']} decided case {entry['case']}: {entry['verdict']}, on {entry['clause']}"
    return f"{said}, because: {entry['reason']}; {seen}.{reused}"


def _answered(entry: Fields) -> str:
    what = (
        "overturned the decision; all that can be is undone"
        if entry["overturned"]
        else "let the decision stand"
    )
    return (
        f"{entry['by']} answered the appeal of case {entry['case']} and {what}, because: {entry['reason']}."
    )


def _changed(entry: Fields) -> str:
    closed = {"True": "it may sign in", "False": "it may not sign in any more"}.get(str(entry.get("active")))
    said = "; ".join(
        one for one in (f"role {entry['role']}" if entry.get("role") else "", closed or "") if one
    )
    return f"{entry['by']} changed the account {entry['account']}{f': {said}' if said else ''}."


def _reported(entry: Fields) -> str:
    what = "A child is in danger now" if entry["said"] == "child-at-risk-now" else "Something is wrong"
    return f"A viewer reported the stream {entry['stream']}: “{what}”. It belongs to case {entry['case']}."


def _asked(entry: Fields) -> str:
    hits = ", ".join(f"{name} {count}" for name, count in dict(entry["hits"]).items())
    return f"{entry['tenant']} asked about {_count(entry['asked'], 'hash', 'hashes')}; matches: {hits or 'none'}."


def _over(entry: Fields) -> str:
    told_by = f", as {entry['by']} told" if entry.get("by") else ""
    return f"The stream {entry['stream']} is over{told_by}."


def _pinned(entry: Fields) -> str:
    what = f"A still of case {entry['case']}, {entry['at_s']:g} s in ({entry['size']:,} bytes)"
    return f"{what}, was sealed in the vault until {_moment(entry['expires_at'])}."


def _met_again(entry: Fields) -> str:
    before = f"of case {entry['case_before']}, destroyed {_moment(entry['destroyed_at'])}"
    return f"The bytes of exhibit {entry['exhibit']} ({before}) were met again, and are kept for case {entry['case']}."


def _lifted(entry: Fields) -> str:
    left = {0: "no hold stands", 1: "1 hold stands"}.get(entry["left"], f"{entry['left']} holds stand")
    what = f"lifted the hold “{entry['basis']}” on an exhibit of case {entry['case']}"
    return f"{entry['by']} {what}, because: {entry['reason']}; {left} on it now."


def _detected(entry: Fields) -> str:
    danger = ", in live danger" if entry["live_danger"] else ""
    found = f"Case {entry['case']} is a detection ({entry['label']}{danger}), found by {entry['found_by']}"
    return f"{found}, on the basis “{entry['basis']}”."


def _owed(entry: Fields) -> str:
    duty = entry["value"]
    urgent = f" ({duty['priority']})" if duty.get("priority") else ""
    what = {
        "owed": f"owed to {duty.get('authority', '')}{urgent}",
        "not-owed": "not owed",
        "open": f"not decided yet{urgent}",
    }[duty["state"]]
    return f"By {entry['by']}: the report of case {entry['case']} is {what}: {duty['reason']}"


def _reported_to(entry: Fields) -> str:
    duty = entry["value"]
    return f"{entry['by']} filed the report of case {entry['case']} with {duty['authority']}: {duty['reference']}."


def _clock_ended(entry: Fields) -> str:
    late = f", {entry['late_s'] / 3600:.1f} h late" if entry["late_s"] else ""
    return f"{entry['by']} ended the clock “{entry['of']}” about {entry['about']}{late}: {entry['outcome']}"


def _forgotten(entry: Fields) -> str:
    what = f"{entry['count']} of “{entry['of']}” from before {_moment(entry['before'])}"
    return f"{who(entry['by'])} removed {what}."


def _looked(entry: Fields) -> str:
    what = " ".join(map(short, str(entry["what"]).split()))
    what = what if what.partition(" ")[0] in {"case", "subject"} else f"the {what}"
    shown = "" if entry["shown"] == "words" else f" ({entry['shown']})"
    return f"{entry['by']} ({entry['role']}) looked at {what}{shown} for {entry['purpose']}."


def _revealed(entry: Fields) -> str:
    part = f" (part {entry['part']} of 9)" if entry.get("part") else ""
    what = f"opened {_SHOWN.get(entry['shown'], entry['shown'])}{part} of case {entry['case']} for {entry['purpose']}"
    return f"{entry['by']} {what}; {entry['granted_s']:g} s were granted."


def _exported(entry: Fields) -> str:
    people = " and ".join(entry["approved_by"])
    what = f"an exhibit of case {entry['case']} for {entry['purpose']}"
    return f"{entry['by']} exported {what}; approved by {people}."


def _placed(entry: Fields) -> str:
    why = "; ".join(map(str, entry["why"]))
    return f"More was seen of case {entry['case']}, and its place in the queue was worked out anew: {why}."


def _signed_in(entry: Fields) -> str:
    through = f" through {entry['through']}" if entry.get("through") else ""
    return f"{entry['by']} signed in as {entry['role']}{through}."


def _standing(entry: Fields) -> str:
    return f"Where tenants stand was summed up; suspended: {', '.join(entry['suspended']) or 'nobody'}."


_SHOWN = {"still": "a still", "motion": "a film", "sound": "the sound"}

GROUPS: Mapping[str, Mapping[str, Kind]] = {
    "Decisions": {
        "verdict": Kind("Decided", _verdict),
        "second-person": Kind(
            "Second person", "{by} agreed as the second person to an effect of case {case}."
        ),
        "second-person-declined": Kind(
            "Second person declined", "{by} did not agree as the second person; case {case} is decided anew."
        ),
        "decision-undone": Kind("Undone", "{by} undid the decision of case {case} while its effects waited."),
        "appeal": Kind("Appeal", "The decision of case {case} is appealed: “{text}”."),
        "appeal-entered": Kind("Appeal entered", "{by} took in the appeal of case {case}."),
        "appeal-answered": Kind("Appeal answered", _answered),
    },
    "Cases and reports": {
        "case-opened": Kind("Case opened", _opened),
        "case-placed": Kind("Placed anew", _placed),
        "report": Kind("Report", _reported),
        "report-seen": Kind(
            "Report seen", "The report of case {case} was before a person {wait_s} s after it came."
        ),
        "claim": Kind("Claimed", "{by} claimed case {case}."),
        "take-over": Kind("Taken over", "{by} took over case {case} from whoever had it."),
        "release": Kind("Given back", "{by} gave back case {case}."),
    },
    "Effects": {
        "effect-ordered": Kind("Ordered", _ordered),
        "effect-done": Kind("Confirmed", _done),
        "effect-undone": Kind("Taken back", _undone),
        "effect-hastened": Kind(
            "Hastened", "An effect of case {case} waits no longer: a child is in danger now."
        ),
        "effect-not-confirmed": Kind(
            "Not confirmed", "An effect of case {case} was not confirmed (try {attempts}); it is sent again."
        ),
        "effect-failed": Kind(
            "FAILED", "An effect of case {case} FAILED after {attempts} tries. Somebody must do it by hand."
        ),
    },
    "Watch": {
        "watch-began": Kind("Watch began", _began),
        "watch-ended": Kind("Watch ended", _ended),
        "let-go": Kind("Let go", "This worker let go of the stream {stream}: {reason}."),
        "handed-over": Kind("Handed over", _handed_over),
        "taken-over": Kind("Taken over by a worker", _taken_over),
        "models": Kind(
            "Models",
            "In {span_s} s models looked {looks} times over {waiting} streams; the bound was {bound_s} s, and "
            "{within_bound:.0%} of the streams were seen within it.",
        ),
        "entry-set-aside": Kind(
            "Entry set aside",
            "The entry {entry} of the list {list} matched in {places} places and is set aside until a "
            "person has looked.",
        ),
        "gap": Kind("Gap", _gap),
        "entries-dropped": Kind(
            "Entries lost", "{count} entries were lost: more waited for the store than is kept."
        ),
        "health": Kind("Health", "A trouble ({state}): {trouble}"),
        "refused": Kind("Refused", "The stream {stream} is not looked at: {reason}"),
        "decision": Kind("Machine's response", _decided),
        "judged-anew": Kind(
            "Judged anew",
            "The stream {stream} is judged anew from {at_s} s on: a person took the response back.",
        ),
        "coverage": Kind("Coverage", _covered),
        "trouble": Kind("Trouble", _trouble),
        "scans": Kind(
            "Scans",
            "Stream {stream}: {detector} {version} was given {pictures} pictures; "
            "{visibility}, on the basis “{basis}”.",
        ),
        "controls": Kind(
            "Rules of live",
            _rules,
        ),
        "surge-began": Kind("Crisis mode on", "{by} began crisis mode, because: {reason}."),
        "surge-ended": Kind("Crisis mode off", "{by} ended crisis mode, because: {reason}."),
    },
    "Streams": {
        "stream-registered": Kind(
            "Registered", "{by} registered the stream {stream}: {visibility}, on the basis “{basis}”."
        ),
        "stream-updated": Kind("Updated", "{by} told something new of the stream {stream}."),
        "stream-ended": Kind("Ended", _over),
    },
    "Looks": {
        "look": Kind("Look", _looked),
        "reveal": Kind("Opened", _revealed),
        "covered": Kind("Covered", "{by} covered case {case} again after {seconds} s."),
    },
    "Evidence": {
        "pinned": Kind("Kept", _pinned),
        "hold-placed": Kind(
            "Held",
            "{by} placed a hold on an exhibit of case {case}, on the basis “{basis}”, because: {reason}.",
        ),
        "hold-lifted": Kind("Hold lifted", _lifted),
        "exhibit-recovered": Kind(
            "Put on record",
            "A crash had left exhibit {exhibit} of case {case} on no record; it is on record and on hold now.",
        ),
        "exhibit-met-again": Kind("Met again", _met_again),
        "orphan-destroyed": Kind(
            "Destroyed again",
            "Exhibit {exhibit} had been destroyed and had a key again; it was destroyed again.",
        ),
        "vault-cleared": Kind(
            "Left over, removed",
            "Files of the vault that were never finished were removed: {files}.",
        ),
        "exhibit-expired": Kind(
            "Destroyed",
            "The key of an exhibit of case {case} was destroyed: its time is over. Record {record}.",
        ),
        "expiry-failed": Kind("NOT destroyed", "An exhibit past its time was NOT destroyed: {why}"),
        "forgotten": Kind("Forgotten", _forgotten),
        "retention-run": Kind(
            "Retention run",
            "{by} destroyed {destroyed} exhibits ({failed} failed, {held} on hold) under the terms {under}.",
        ),
        "exhibit-sealed": Kind("Sealed", "An exhibit of case {case} was sealed ({size} bytes)."),
        "exhibit-key-finished": Kind(
            "Key finished", "A crash had left the key of exhibit {exhibit} without its name; it has it now."
        ),
        "exhibit-opened": Kind("Unsealed", "{by} opened an exhibit of case {case} for {purpose}."),
        "export-approved": Kind(
            "Export approved", "{by} approved that an exhibit of case {case} leaves, for {purpose}."
        ),
        "exhibit-exported": Kind("Exported", _exported),
        "exhibit-destroyed": Kind(
            "Shredded", "{by} destroyed the key of an exhibit of case {case}: {reason}."
        ),
    },
    "Cases": {
        "inquiry-opened": Kind(
            "Case opened here", "Inquiry {inquiry} was opened at urgency {urgency}; {owner} has it."
        ),
        "inquiry-taken": Kind("Taken", "{by} took inquiry {inquiry}."),
        "inquiry-handed": Kind(
            "Handed over", "{by} handed inquiry {inquiry} over; it is {owner}’s until that is acknowledged."
        ),
        "inquiry-late": Kind("Late", "Inquiry {inquiry} is late: something was due by {due_at}."),
        "inquiry-escalated": Kind(
            "Went to the supervisor", "Inquiry {inquiry} was late, and went to {owner}."
        ),
        "inquiry-reassessed": Kind(
            "Placed anew", "Inquiry {inquiry} has another place, by what all its referrals say together."
        ),
        "inquiry-filed-away": Kind("Filed away", "{by} filed inquiry {inquiry} away."),
        "links-proposed": Kind(
            "Links proposed", "{by} proposed {count} links between people of different referrals."
        ),
        "link-left-out": Kind(
            "Link left out",
            "Referrals {referral} and {other} share what would make a child and an adult suspect one person; "
            "{by} proposed no link of them. Somebody should see who is who.",
        ),
        "link-voted": Kind(
            "Link reviewed", "{by} said {said} to link {link}, because: {why}. It is now {state}."
        ),
        "link-undone": Kind("Link undone", "{by} undid link {link}, because: {why}. It is now {state}."),
        "inquiries-merged": Kind(
            "Inquiries became one", "Inquiry {gone} became part of {inquiry}; {by} accepted link {link}."
        ),
        "inquiries-parted": Kind("Inquiries parted", "{by} parted inquiry {gone} from {inquiry} again."),
        "referral-went-back": Kind(
            "Went back with its inquiry",
            "Referral {referral} came to {was} for {inquiry}, and went back there when {by} parted them.",
        ),
        "merger-stands": Kind(
            "Inquiries stay one", "Inquiries {gone} and {inquiry} stay one: link {link} still says so."
        ),
        "referrals-bundled": Kind(
            "Bundled", "{by} bundled {count} referrals that say the same, as {bundle}; each is kept."
        ),
        "referrals-unbundled": Kind(
            "Bundle taken apart", "{by} took bundle {bundle} apart, because: {why}; each is as it was."
        ),
        "task-added": Kind("Task added", "{by} added the task {task} to inquiry {inquiry}."),
        "task-ended": Kind("Task ended", "{by} ended the task {task} of inquiry {inquiry}: {state}."),
        "referral-taken-in": Kind(
            "Referral taken in", "{by} took referral {referral} of {sender} into inquiry {inquiry}."
        ),
        "referral-came-again": Kind(
            "Came again", "{sender} sent the bytes of referral {referral} again; they are here once."
        ),
        "referral-reclassified": Kind(
            "Held as another kind", "{by} holds referral {referral} as {is}, before {was}, because: {why}."
        ),
        "referral-read-again": Kind("Read again", "{by} had referral {referral} read again, as {form}."),
        "referral-marked": Kind("Marked", "{by} marked referral {referral}: {after}; before: {before}."),
        "disseminated": Kind(
            "Sent to a partner", "{by} sent inquiry {inquiry} to {to} ({way}); {withheld} fields stayed."
        ),
        "dissemination-became": Kind("What became of it", _became),
        "interests-asked": Kind(
            "Asked for interests",
            "{by} asked {to} about {identifiers} identifiers, on the basis “{basis}”, reference {reference}.",
        ),
        "interests-listed": Kind("List of interests", "{by} wrote the list of overt interests for {to}."),
        "interests-opened": Kind("Opened of a partner", "{by} opened a {what} of {to}."),
        "interests-answered": Kind("Answered a partner", "{by} answered a {what} of {to}."),
        "case-referred": Kind("Referred", "{by} wrote case {case} as a referral, without pictures."),
    },
    "Sharing": {
        "taxii-received": Kind("Received from a partner", "{by} sent {objects} objects, kept as they came."),
    },
    "Duties": {
        "detection": Kind("Detected", _detected),
        "duty-decided": Kind("Whom it is owed to", _owed),
        "facts-told": Kind("Facts told", "{by} told of case {case}: {facts}."),
        "duty-filed": Kind("Report filed", _reported_to),
        "report-begun": Kind("Report begun", "A report of duty {duty} to {authority} was begun ({adapter})."),
        "report-declared": Kind(
            "Report declared", "{declared_by} stands for the report of duty {duty} to {authority}."
        ),
        "report-step": Kind(
            "Report sent on", "The report of duty {duty} to {authority} got as far as “{step}”."
        ),
        "report-filed": Kind(
            "Report accepted", "{authority} has the report of duty {duty}, under the reference {reference}."
        ),
        "report-resumed": Kind("Report resumed", "{by} resumed the report of duty {duty}, because: {why}."),
        "report-retracted": Kind(
            "Report taken back", "{by} took back the report of duty {duty}, because: {why}."
        ),
        "duty-closed": Kind("Duty closed", "{by} closed the duty of case {case}."),
        "duty-call": Kind("Call", "{by} called {whom} about case {case} ({reference}): {words}"),
        "clock-began": Kind("Clock began", "The clock “{of}” about {about} runs until {due_at}: {words}"),
        "clock-ended": Kind("Clock ended", _clock_ended),
        "intimate-swept": Kind(
            "Swept for copies",
            "{by} has what a sweep for copies of an intimate image found on the clock about {about}: of {recordings} "
            "recordings {residual} show it still, and {unread} were not looked at whole.",
        ),
        "sealed-for-report": Kind(
            "Sealed for a report", "The {what} of the report of case {case} was sealed."
        ),
        "kept-for-report": Kind(
            "Kept for a report", "An exhibit of case {case} is kept for its report until {until}."
        ),
        "exhibit-erased": Kind(
            "Erased", "{by} erased an exhibit of case {case}: somebody asked, and nothing wants it kept."
        ),
        "retention-certified": Kind(
            "Keeping certified",
            "What is kept for the report of case {case} was certified: {exhibits} exhibits.",
        ),
        "destruction-certified": Kind(
            "Destruction certified",
            "That all {exhibits} exhibits of the report of case {case} are destroyed was certified.",
        ),
        "seat-taken": Kind("Post taken", "{by} gave {name} the post “{post}” from {begins_at} on."),
        "seat-left": Kind("Post left", "{name} leaves the post “{post}” on {ends_at}, as {by} told."),
        "seat-trained": Kind(
            "Trained for a post", "{name} ({post}) was trained with {materials}, until {until}."
        ),
    },
    "People": {
        "signed-in": Kind("Signed in", _signed_in),
        "signed-out": Kind("Signed out", "{by} signed out."),
        "sign-in-failed": Kind(
            "Sign-in failed", "Somebody failed to sign in as {account}; {tries} tries in a row."
        ),
        "account-made": Kind("Account made", "An account was made; its role is {role}."),
        "account-changed": Kind("Account changed", _changed),
        "shift-begun": Kind("Shift begun", "{by} ({role}) began a shift."),
        "shift-ended": Kind("Shift ended", "{by} ({role}) ended their shift."),
        "break": Kind("Break", "{by} began a break."),
        "opted-out": Kind("Opted out", "{by} wants to see no more items this shift."),
    },
    "Papers": {
        "paper-written": Kind(
            "Paper written", "{by} wrote version {version} of a paper ({of}, {subject}): {paper}."
        ),
        "paper-approved": Kind(
            "Paper approved", "{by} approved version {version} of a paper ({of}, {subject}): {paper}."
        ),
    },
    "Record": {
        "audit-export": Kind("Copy taken", "{by} took a copy of the entries {first} to {last}."),
        "audit-verified": Kind("Verified", "{by} had the whole record verified: {result}"),
    },
    "Matcher": {
        "matcher-query": Kind("Question", _asked),
        "matcher-alarm": Kind("Alarm", "{tenant} was suspended: {reason}."),
        "matcher-standing": Kind("Standing", _standing),
    },
}
"""Every kind that is written, by what it is about."""

KINDS: Mapping[str, Kind] = {name: one for group in GROUPS.values() for name, one in group.items()}
_LONGEST = 300


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"[no {key}]"


def told(entry: Fields) -> str:
    """Return an entry as a sentence; one of an unknown kind, or without what its kind has, as its fields."""
    known = KINDS.get(str(entry.get("kind", "")))
    entry = {key: short(value) if isinstance(value, str) else value for key, value in entry.items()}
    if known is None:
        return _raw(entry)
    if isinstance(known.sentence, str):
        return known.sentence.format_map(_Known({key: str(value)[:_LONGEST] for key, value in entry.items()}))
    try:
        said = known.sentence(entry)[: 4 * _LONGEST]
        return f"The{said[3:]}" if said.startswith("the ") else said
    except (KeyError, TypeError, ValueError, AttributeError):
        return _raw(entry)


def label_of(entry: Fields) -> str:
    """Return what kind of entry it is, in a word or two."""
    kind = str(entry.get("kind", "entry"))
    return KINDS[kind].label if kind in KINDS else kind


def _raw(entry: Fields) -> str:
    kind = str(entry.get("kind", "entry"))
    hidden = {"kind", "at", "journal"}
    said = "; ".join(f"{key}: {str(value)[:_LONGEST]}" for key, value in entry.items() if key not in hidden)
    return f"{kind.replace('-', ' ').capitalize()}: {said}."[: 3 * _LONGEST]
