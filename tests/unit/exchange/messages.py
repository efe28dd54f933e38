"""Benign ISO 20022 messages of any version, made from a few values."""

from __future__ import annotations

from xml.sax.saxutils import escape

KINDS = {"pacs.008": range(2, 13), "pain.001": range(3, 13), "camt.052": range(2, 13), "camt.053": range(2, 13), "camt.054": range(2, 13)}  # fmt: skip
ROOTS = {
    "pacs.008": ("FIToFICstmrCdtTrf", ""),
    "pain.001": ("CstmrCdtTrfInitn", ""),
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
OWN = "GB33BUKB20201555555555"
OTHER = "0012345678"


def el(name, *inside, **attributes):
    """Return an element; text is escaped, elements are not."""
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{said}>{''.join(inside)}</{name}>"


def txt(name, text, **attributes):
    return el(name, escape(text), **attributes) if text else ""


def document(kind, version, *inside, prefix=""):
    space = f"urn:iso:std:iso:20022:tech:xsd:{kind}.001.{version:02d}"
    body = el(ROOTS[kind][0], *inside)
    if prefix:
        body = body.replace("</", f"\0{prefix}:").replace("<", f"<{prefix}:").replace("\0", "</")
        return f'<?xml version="1.0" encoding="UTF-8"?><{prefix}:Document xmlns:{prefix}="{space}">{body}</{prefix}:Document>'.encode()
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}">{body}</Document>'.encode()


def party(name, country):
    return txt("Nm", name) + (el("PstlAdr", txt("Ctry", country)) if country else "")


def account(one):
    return el("Id", txt("IBAN", one) if one[:2].isalpha() else el("Othr", txt("Id", one)))


def bank(bic, version, wrap="FinInstnId"):
    return el(wrap, txt("BICFI" if version >= 3 else "BIC", bic)) if bic else ""


def transfer(kind, version, p):
    """Return a CdtTrfTxInf."""
    ids = (
        txt("InstrId", p.get("instr", ""))
        + txt("EndToEndId", p.get("e2e", "NOTPROVIDED"))
        + txt("TxId", p.get("tx", ""))
    )
    ids += txt("UETR", p.get("uetr", "")) if version >= 8 else ""
    amount = txt("InstdAmt", p["amount"], Ccy=p["currency"])
    if kind == "pacs.008":
        settled = txt(
            "IntrBkSttlmAmt", p.get("settled", p["amount"]), Ccy=p.get("settled_currency", p["currency"])
        )
        amount = settled + amount
        debtor = (
            el("Dbtr", party(p["payer_name"], p.get("payer_country", "")))
            + el("DbtrAcct", account(p["payer"]))
            + el("DbtrAgt", bank("BUKBGB22XXX", version))
        )
    else:
        amount, debtor = el("Amt", amount), ""
    creditor = el("CdtrAgt", bank(p.get("via", ""), version)) + el(
        "Cdtr", party(p["payee_name"], p.get("payee_country", ""))
    )
    creditor += el("CdtrAcct", account(p["payee"])) if p.get("payee") else ""
    return el(
        "CdtTrfTxInf",
        el("PmtId", ids),
        amount,
        debtor,
        creditor,
        el("RmtInf", txt("Ustrd", p.get("text", ""))),
    )


def transfers(kind, version, payments, made="2026-03-01T21:30:00+00:00", day=None, count=None, prefix=""):
    header = el(
        "GrpHdr",
        txt("MsgId", "M1"),
        txt("CreDtTm", made),
        txt("NbOfTxs", str(len(payments) if count is None else count)),
    )
    records = "".join(transfer(kind, version, one) for one in payments)
    if kind == "pain.001":
        when = day or made[:10]
        first = payments[0]
        records = el(
            "PmtInf", txt("PmtInfId", "P1"), el("ReqdExctnDt", txt("Dt", when) if version >= 8 else when),
            el("Dbtr", party(first["payer_name"], first.get("payer_country", ""))), el("DbtrAcct", account(first["payer"])),
            el("DbtrAgt", bank("BUKBGB22XXX", version)), records,
        )  # fmt: skip
    return document(kind, version, header, records, prefix=prefix)


def details(version, d):
    def related(who, name, country, acct):
        inside = party(name, country)
        one = el(who, el("Pty", inside) if version >= 8 else inside) if name else ""
        return one + (el(f"{who}Acct", account(acct)) if acct else "")

    refs = (
        txt("AcctSvcrRef", d.get("servicer", ""))
        + txt("EndToEndId", d.get("e2e", ""))
        + (txt("UETR", d.get("uetr", "")) if version >= 8 else "")
    )
    amounts = ""
    if d.get("amount"):
        paid = txt("Amt", d["amount"], Ccy=d.get("currency", "GBP"))
        amounts = paid if version >= 3 else el("AmtDtls", el("TxAmt", paid))
    if d.get("given"):
        amounts += el("AmtDtls", el("InstdAmt", txt("Amt", d["given"], Ccy=d["given_currency"])))
    role = d.get("role", "Cdtr")
    parties = el("RltdPties", related(role, d.get("name", ""), d.get("country", ""), d.get("account", "")))
    agents = el("RltdAgts", el(f"{role}Agt", bank(d.get("bic", ""), version)))
    dates = el("RltdDts", txt("TxDtTm", d["moment"])) if d.get("moment") else ""
    returned = el("RtrInf", el("Rsn", txt("Cd", d["returned"]))) if d.get("returned") else ""
    return el(
        "TxDtls",
        el("Refs", refs),
        amounts,
        parties,
        agents,
        el("RmtInf", txt("Ustrd", d.get("text", ""))),
        dates,
        returned,
    )


def entry(version, e, parts=()):
    status = e.get("status", "BOOK")
    booked = e.get("booked", "2026-03-01")
    inside = "".join(details(version, one) for one in parts)
    return el(
        "Ntry", txt("NtryRef", e.get("ref", "")), txt("Amt", e["amount"], Ccy=e.get("currency", "GBP")), txt("CdtDbtInd", e["direction"]),
        txt("RvslInd", e.get("reversal", "")), el("Sts", txt("Cd", status) if version >= 8 else status),
        el("BookgDt", txt("DtTm" if "T" in booked else "Dt", booked)), txt("AcctSvcrRef", e.get("servicer", "")),
        el("NtryDtls", inside) if inside else "",
    )  # fmt: skip


def statement(kind, version, *entries, owner="Ann Lee"):
    owned = el(
        "Acct",
        el("Id", txt("IBAN", OWN)),
        el("Ownr", txt("Nm", owner)),
        el("Svcr", bank("BUKBGB22XXX", version)),
    )
    header = el("GrpHdr", txt("MsgId", "M1"), txt("CreDtTm", "2026-03-02T06:00:00Z"))
    return document(kind, version, header, el(ROOTS[kind][1], txt("Id", "S1"), owned, *entries))
