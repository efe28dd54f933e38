"""The fields and the narrative of a suspicious activity report to FinCEN, with the published keywords.

The keywords are dated data (``packs/payments/fincen.toml``). A person copies the fields into the form and files it.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from typing import Any

from lightship.core.errors import PolicyError
from lightship.exchange.report_draft import UNKNOWN, ReportDraft


def fincen_fields(draft: ReportDraft, notices: str, where: str) -> bytes:
    """Return the fields of a draft as JSON, by the numbers of the form.

    Parameters
    ----------
    notices
        The text of the notices' file.

    Raises
    ------
    PolicyError
        If the notices cannot be read, or none is for this typology.
    """
    notice = _notice(notices, where, draft.typology)
    keyword = notice["keyword"]
    fields = {
        "standing": draft.standing.words,
        "reference": draft.alert,
        "2 filing institution note": keyword,
        "38(z) other": notice["other"],
        "43 IP address and time": UNKNOWN,
        "to consider": notice["extra"],
        "to be looked up": list(draft.missing),
        "subject": asdict(draft.subject) | {"name": draft.subject.name or UNKNOWN},
        "others": [asdict(one) | {"name": one.name or UNKNOWN} for one in draft.others],
        "transactions": [asdict(one) for one in draft.transfers],
        "narrative": f"{keyword}\n\n{draft.narrative}",
        "source of the keywords": notice["source"],
    }
    return (json.dumps(fields, ensure_ascii=False, indent=1) + "\n").encode()


def _notice(text: str, where: str, typology: str) -> dict[str, Any]:
    try:
        for notice in tomllib.loads(text)["notices"]:
            if typology in notice["typologies"]:
                return {name: notice[name] for name in ("keyword", "other", "extra", "source")}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyError(f"The notices are refused: {error}.", where, "Correct them.") from error
    raise PolicyError(
        f"No notice is for the typology {typology!r}.", where, "Add the notice, or use another form."
    )
