"""The case bundle of an alert: all that a person needs to judge it, as files that open anywhere.

An index to read, the evidence as a table, a timeline, the network, the draft of a narrative, and from what it was made.
The same alert on the same dataset gives the same bytes.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Literal

from lightship.core.canonical import digest
from lightship.core.payments import Alert, Reason
from lightship.exchange.one_page import facts, table
from lightship.payments.background import Background, Row
from lightship.payments.beside import Beside
from lightship.payments.glossary import Glossary
from lightship.payments.hunt_files import safe
from lightship.payments.narrative import Narrative, db, draft, plain
from lightship.payments.page_parts import DRAFT, page
from lightship.payments.picture import Network, Node, Role, network_page, network_still
from lightship.payments.report import units
from lightship.payments.shape import money
from lightship.payments.span import day
from lightship.payments.timeline import Timeline, timeline
from lightship.payments.wording import counted

MARK = "bundle.json"
"""The file by which a folder of bundles is known."""

_FEW = 4
_COLUMNS = (
    "payment", "time_utc", "time_known", "payer", "payee", "payee_name", "amount", "currency", "payee_amount",
    "payee_currency", "payer_country", "payee_country", "rail", "via", "text", "indicators",
)  # fmt: skip


def bundle(
    alert: Alert,
    evidence: Background,
    glossary: Glossary,
    provenance: Mapping[str, str],
    beside: Beside | None = None,
) -> dict[str, bytes]:
    """Return the files of one alert's bundle by name.

    Parameters
    ----------
    provenance
        What the dataset and the settings were, digests by name.
    beside
        What the institution's own model says of it.
    """
    text = draft(alert, evidence, glossary)
    drawn = timeline(alert.subject, evidence)
    network = network_of(alert, evidence)
    made = {
        **provenance,
        "alert": alert.alert,
        "pack": alert.pack,
        "baseline": alert.baseline,
        "glossary": glossary.digest,
        **({"model": beside.model} if beside else {}),
    }
    still = network_still(network)
    files = {
        "narrative.txt": text.text.encode(),
        "evidence.csv": _csv(evidence.rows),
        "evidence.json": _json({"alert": alert.alert, "payments": [_row(row) for row in evidence.rows]}),
        "network.html": network_page(network),
        "network.svg": still,
        "provenance.json": _json(made),
    }
    if drawn:
        files |= {"timeline.svg": drawn.svg, "timeline.png": drawn.png}
    files["index.html"] = _index(alert, evidence, text, drawn, still, made, beside)
    return dict(sorted(files.items()))


def bundles(
    made: Mapping[str, Mapping[str, bytes]], alerts: Sequence[Alert], glossary: Glossary
) -> dict[str, bytes]:
    """Return the files of all bundles: a folder for each alert, a page that lists them, and a mark."""
    files = {f"{folder(alert)}/{name}": data for alert in alerts for name, data in made[alert.alert].items()}
    urgent_first = sorted(alerts, key=lambda alert: alert.lane != "fast")
    kinds = dict.fromkeys(alert.typology for alert in urgent_first)
    parts = [
        _listed(glossary, typology, [one for one in alerts if one.typology == typology]) for typology in kinds
    ]
    body = f'<header><h1>Alerts to look at</h1><p class="draft">{DRAFT}</p></header><main>{"".join(parts)}</main>'
    mark = {"alerts": [alert.alert for alert in alerts], "files": len(files) + 2}
    return {**files, "index.html": page("Alerts to look at", body), MARK: _json(mark)}


def _listed(glossary: Glossary, typology: str, alerts: Sequence[Alert]) -> str:
    title = f"Consistent with {glossary.pattern(typology).words}"
    rows = [
        (
            f'<a href="{escape(folder(alert))}/index.html">{escape(alert.subject)}</a>',
            f"{alert.rank:,}",
            db(alert.total_mdb),
            escape(alert.reasons[0].sentence if alert.reasons else ""),
            escape(
                alert.counter[0].sentence if alert.counter else "Nothing in the dataset speaks against it."
            ),
        )
        for alert in alerts
    ]
    lane = "within minutes: a child may be at risk now" if alerts[0].lane == "fast" else "no haste"
    heads = ("subject", "rank", "weight", "first reason", "first reason against")
    caption = f"{title}: {len(alerts):,}; {lane}"
    return f"<h2>{escape(title)}</h2>{table(caption, heads, rows, numbers=(1, 2), wide=(3, 4))}"


def folder(alert: Alert) -> str:
    """Return the name of an alert's folder: its rank, and a digest of its id that any file system takes."""
    return f"{alert.rank:04d}-{digest(alert.alert).removeprefix('sha256:')[:12]}"


def network_of(alert: Alert, evidence: Background) -> Network:
    """Return the network around the subject of an alert; as far as can be, money goes from left to right."""
    subject = alert.subject
    pays = any(link.payer == subject for link in evidence.links)
    gets = any(link.payee == subject for link in evidence.links)
    till = -1 if pays else 0  # where the subject stands as a receiver: somebody may be both
    marks = dict(evidence.markers)
    nodes: dict[str, Node] = {}

    def add(
        side: Literal["payer", "receiver"], id_: str, layer: int, away: int, words: str, heavy: int
    ) -> None:
        role: Role = "subject" if id_ == subject else "found" if away == 1 else "context"
        known = f" Marked: {marks[id_]}." if id_ in marks else ""
        node = Node(id_, side, layer, role, heavy, words + known)
        nodes.setdefault(node.key, node)

    for link in sorted(evidence.links, key=lambda one: subject not in {one.payer, one.payee}):
        name = f" Named {plain(link.name, 60)}." if link.name else ""
        takes = (
            f"Receives in {link.country or 'a country that is UNKNOWN'}.{name} May be a victim or a relative."
        )
        if link.payer == subject:
            add("payer", subject, 0, 0, "The subject of this alert.", 1)
            add("receiver", link.payee, 1, 1, takes, link.payments)
        elif link.payee == subject:
            add("receiver", subject, till, 0, f"The subject of this alert. {takes}", 1)
            add("payer", link.payer, till - 1, 1, "Paid the subject.", link.payments)
        elif f"payer:{link.payer}" in nodes:
            add(
                "receiver",
                link.payee,
                till - 2,
                2,
                f"Also paid by somebody who paid the subject. {takes}",
                link.payments,
            )
        else:
            add("payer", link.payer, 2, 2, "Also paid one of the same receivers.", link.payments)
    notes = [
        "Only payments from person to person across a border, and those that an indicator cites, are drawn."
    ]
    if evidence.links_left_out:
        notes.append(f"{evidence.links_left_out:,} links further away were left out.")
    same = ((f"payer:{subject}", f"receiver:{subject}"),) if pays and gets else ()
    lead = f"Around {subject}, up to {day(alert.at_us)}."
    return Network("Who paid whom", lead, tuple(nodes.values()), evidence.links, tuple(notes), same)


def _index(
    alert: Alert,
    evidence: Background,
    text: Narrative,
    drawn: Timeline | None,
    still: bytes,
    made: Mapping[str, str],
    beside: Beside | None,
) -> bytes:
    total = facts(
        (
            ("Subject", escape(alert.subject)),
            ("Typology", escape(alert.typology)),
            ("Lane", "fast: a child may be at risk now" if alert.lane == "fast" else "slow"),
            ("Weight", f"{db(alert.total_mdb)}; an alert is raised at {db(alert.threshold_mdb)}"),
            ("Over the weeks", db(alert.keeper_mdb)),
            ("Last payment", day(alert.at_us)),
            ("Alert", escape(alert.alert)),
        )
    )
    seen = (
        f'<img alt="{escape(drawn.words)}" src="{_data(drawn.svg)}">'
        f"<p>{escape(drawn.words)} Filled marks are cited by an indicator; the shaded hours are the night.</p>"
        if drawn
        else "<p>No payment of the window is in the dataset.</p>"
    )
    off = "".join(f"<li>{escape(indicator)}: {escape(needs)}</li>" for indicator, needs in alert.off)
    files = "".join(
        f'<li><a href="{name}">{name}</a>: {what}</li>'
        for name, what in (
            ("narrative.txt", "the draft as text"),
            ("evidence.csv", "the payments for a spreadsheet"),
            ("evidence.json", "the payments for machines"),
            ("network.html", "the network to move in"),
            ("provenance.json", "from what this was made"),
        )
    )
    heads = ("indicator", "weight", "what was seen", "payments", "source")
    body = f"""<header><h1>{escape(alert.subject)}: a pattern to look at</h1><p class="draft">{
        DRAFT
    }</p></header>
<main>
{total}
<h2>Why</h2>
{table("What speaks for it", heads, map(_told, alert.reasons), numbers=(1,), wide=(2,))}
<h2>Why it may be innocent</h2>
{
        table("What speaks against it", heads, map(_told, alert.counter), numbers=(1,), wide=(2,))
        if alert.counter
        else "<p>No counter-evidence is in the dataset. That is not to say that there is none.</p>"
    }
{f"<p>Not looked at, because the data are missing:</p><ul>{off}</ul>" if off else ""}
{_own_model(beside) if beside else ""}
<h2>When</h2>
{seen}
<h2>Who paid whom</h2>
<img alt="The network around the subject; network.html has the same as tables." src="{_data(still)}">
<p><a href="network.html">Open the network</a> to move in it and to read it as tables.</p>
<h2>Payments</h2>
{_evidence_table(evidence)}
<h2>Draft of a narrative</h2>
<p>{len(text.text):,} characters. For the authority only: nothing of it may reach the customer.</p>
<pre>{escape(text.text)}</pre>
<h2>Files and provenance</h2>
<ul>{files}</ul>
{facts((name, escape(value or "UNKNOWN")) for name, value in sorted(made.items()))}
</main>"""
    return page(f"{alert.subject}: a pattern to look at", body)


def _own_model(beside: Beside) -> str:
    """Return the two weights of each indicator side by side."""
    rows = [
        ("before any indicator", "", db(beside.start_mdb)),
        *((escape(name), db(pack), db(own)) for name, pack, own in beside.parts),
        ("indicators that are not learned", db(beside.fixed_mdb), db(beside.fixed_mdb)),
        ("all", db(beside.pack_mdb), db(beside.learned_mdb)),
    ]
    return (
        "<h2>What your own outcomes say</h2>"
        f"<p>A model trained on decided cases puts this one at place {beside.learned_rank:,}; the pack's queue, which "
        f"it does not change, at {beside.rank:,}. It weighs the same indicators anew.</p>"
        + table(
            "Weights, side by side",
            ("indicator", "in the pack", "in the model"),
            rows,
            numbers=(1, 2),
            wide=(),
        )
    )


def _told(reason: Reason) -> tuple[str, ...]:
    return (
        escape(reason.indicator),
        db(reason.weight_mdb),
        escape(reason.sentence),
        _behind(reason.payments),
        f"{escape(reason.source)} (grade {escape(reason.grade)})",
    )


def _behind(payments: Sequence[str]) -> str:
    """Return the payments behind an indicator, a few by name: the table of payments says of each whose it is."""
    if not payments:
        return "none of those below"
    more = len(payments) - _FEW
    named = escape(", ".join(payments[:_FEW]))
    return f"{named} and {more} more" if more > 0 else named


def _evidence_table(evidence: Background) -> str:
    rows = [
        (
            escape(row.payment),
            escape(_time(row)),
            escape(row.payer),
            escape(row.payee),
            escape(plain(row.payee_name or "UNKNOWN", 60)),
            money(row.amount_minor, row.currency),
            escape(f"{row.rail}, {plain(row.via or 'UNKNOWN', 60)}"),
            escape(f"{row.payer_country or 'UNKNOWN'} to {row.payee_country or 'UNKNOWN'}"),
            escape(plain(row.text or "", 80)),
            ", ".join(row.cited) or "none",
        )
        for row in evidence.rows
    ]
    heads = (
        "payment",
        "time (UTC)",
        "payer",
        "receiver",
        "name",
        "amount",
        "way",
        "countries",
        "text",
        "indicators",
    )
    return table(
        f"{counted(len(rows), 'payments')}; {evidence.aside:,} of another kind left aside",
        heads,
        rows,
        numbers=(5,),
    )


def _time(row: Row) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(row.at_us // 1_000_000, UTC)
    return at.strftime("%Y-%m-%d %H:%M") if row.time_known else at.strftime("%Y-%m-%d")


def _row(row: Row) -> dict[str, object]:
    value = asdict(row)
    return {**value, "cited": list(row.cited), "time_utc": _time(row)}


def _csv(rows: Iterable[Row]) -> bytes:
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(_COLUMNS)
    for row in rows:
        lines.writerow(
            safe(cell)
            for cell in (
                row.payment, _time(row), "yes" if row.time_known else "no", row.payer, row.payee, row.payee_name or "",
                units(row.amount_minor, row.currency), row.currency,
                _arrived(row), row.payee_currency or "",
                row.payer_country or "", row.payee_country or "", row.rail, row.via or "", row.text or "",
                " ".join(row.cited),
            )
        )  # fmt: skip
    return out.getvalue().encode()


def _arrived(row: Row) -> str:
    return (
        ""
        if row.payee_amount_minor is None
        else units(row.payee_amount_minor, row.payee_currency or row.currency)
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _data(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
