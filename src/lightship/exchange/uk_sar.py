"""The parts of a suspicious activity report to the United Kingdom's FIU, as a worksheet to copy from.

The UK takes no goAML: a person fills in the portal's fields. The parts and their order are those of its guidance.
"""

from __future__ import annotations

from lightship.exchange.report_draft import UNKNOWN, Party, ReportDraft, Transfer


def worksheet(draft: ReportDraft) -> bytes:
    """Return the worksheet as text."""
    parts = {
        "HEADER": [
            draft.standing.words,
            f"Our reference: {draft.alert}",
            "Type: information SAR, or a DAML, which states the prohibited act: a person decides.",
            "Glossary codes to consider, to be looked up on the current list (say so if none applies):",
            *[f"  {code}: {meaning}" for code, meaning in draft.codes],
            "Still to be looked up:",
            *[f"  {what}" for what in draft.missing],
        ],
        "MAIN SUBJECT": _party(draft.subject),
        "ASSOCIATED SUBJECTS": [line for party in draft.others for line in (*_party(party), "")]
        or ["none known"],
        "TRANSACTIONS": [_transfer(one) for one in draft.transfers] or ["none"],
        "REASON FOR SUSPICION": draft.narrative.rstrip().splitlines(),
    }
    text = "\n\n".join(f"== {name} ==\n" + "\n".join(lines).rstrip() for name, lines in parts.items())
    return f"{text}\n".encode()


def _party(party: Party) -> list[str]:
    facts = {
        "Identifier": party.id,
        "Name": party.name or UNKNOWN,
        "Person or business": party.kind,
        "Our customer": f"yes, since {party.opened or UNKNOWN}" if party.customer else "no",
        "Country": party.country or UNKNOWN,
        "Year of birth": str(party.born_year or UNKNOWN),
        **{name: str(value) for name, value in sorted(party.facts.items())},
    }
    return [f"{name}: {value}" for name, value in facts.items()]


def _transfer(one: Transfer) -> str:
    way = (
        f"{one.payer_country or UNKNOWN} to {one.payee_country or UNKNOWN}, {one.rail}, {one.via or UNKNOWN}"
    )
    text = f", «{one.text}»" if one.text else ""
    return (
        f"{one.at}  {one.currency} {one.amount}  {one.payer} -> {one.payee}  ({way}{text})  [{one.payment}]"
    )
