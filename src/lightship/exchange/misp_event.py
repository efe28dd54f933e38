"""A STIX bundle as a MISP event, and back, by ``misp-stix``; what it could not convert is in the loss report.

Needs the extra ``misp``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from lightship.core.errors import InputError
from lightship.exchange.loss import Loss

_NOTED = re.compile(r'"(created|modified)": "([0-9-]{10})T([0-9:]{8})[0-9.]*\+00:00"')


def misp_event(bundle: bytes) -> tuple[bytes, tuple[Loss, ...]]:
    """Return a STIX 2.1 bundle as one MISP event, JSON, and what was lost.

    Raises
    ------
    InputError
        If misp-stix is not installed or refuses the bundle.
    """
    try:
        from misp_stix_converter import ExternalSTIX2toMISPParser
    except ImportError as error:
        raise InputError("MISP needs misp-stix.", "", "Install lightship[misp].") from error
    import stix2

    try:
        parser = ExternalSTIX2toMISPParser()
        parser.load_stix_bundle(stix2.parse(bundle, allow_custom=True))
        parser.parse_stix_bundle(single_event=True)
        # MISP writes the times of analysts' notes without a zone; pymisp 2.5.34 writes one and cannot read it back.
        written = _NOTED.sub(r'"\1": "\2 \3"', parser.misp_event.to_json())
        event = {"Event": json.loads(written)}
        objects = json.loads(bundle)["objects"]
    except Exception as error:  # of many kinds, by what it meets
        raise InputError(f"misp-stix refuses the bundle: {error}.", "", "Send it as STIX.") from error
    lost = [
        Loss("misp-stix", str(where), str(what))
        for where, what in (*parser.errors.items(), *parser.warnings.items())
    ]
    text = json.dumps(event)
    for one in objects:
        lost += [
            Loss(one["id"], name, "MISP has no place for it")
            for name, value in _values(one)
            if value not in text
        ]
    return text.encode(), tuple(lost)


def stix_of(event: bytes) -> bytes:
    """Return a MISP event as a STIX 2.1 bundle.

    Raises
    ------
    InputError
        If misp-stix is not installed or refuses the event.
    """
    try:
        from misp_stix_converter import MISPtoSTIX21Parser
    except ImportError as error:
        raise InputError("MISP needs misp-stix.", "", "Install lightship[misp].") from error
    try:
        parser = MISPtoSTIX21Parser()
        parser.parse_misp_event(json.loads(event)["Event"])
        return str(parser.bundle.serialize()).encode()
    except Exception as error:  # of many kinds, by what it meets
        raise InputError(f"misp-stix refuses the event: {error}.", "", "Check where it came from.") from error


def _values(stix: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the values of an object that a reader would miss, as they would stand in JSON."""
    names = ("value", "account_login", "content", "abstract", "start_time", "stop_time")
    found = [(name, str(stix[name])) for name in names if name in stix]
    found += [("hashes", str(one)) for one in stix.get("hashes", {}).values()]
    for extension in stix.get("extensions", {}).values():
        found += [(row["kind"], row["value"]) for row in extension.get("identifiers", ())]
    return [(name, json.dumps(value)[1:-1]) for name, value in found]
