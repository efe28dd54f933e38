"""Policies that are read, and those that are refused with the kind of reason; consent to them."""

from lightship import packs
from lightship.core.consent import Consent
from lightship.core.errors import PolicyError
from lightship.core.ladder import parse_policy
from tests.vectors import number

TEST = (packs.root() / "policies" / "test.toml").read_text("utf-8")

KEYS = ("name", "version", "title", "jurisdiction", "audience", "legal_basis", "card_title", "card_lines")

CHANGES = (
    ("wrong type", 'name = "test"', "name = 5"),
    ("wrong type", "test = true", "test = 1"),
    ("wrong type", "slow_fps = 4", "slow_fps = true"),
    ("wrong type", 'labels = ["test-card"]', 'labels = "test-card"'),
    ("unknown key", 'release = "benign"', 'release = "benign"\nreport_to = "https://example.org"'),
    ("unknown key", 'rung = "blur"', 'rung = "blur"\nsilently = true'),
    ("unknown key", 'name = "camera"', 'name = "camera"\nweight = 3'),
    ("outside the label set", 'labels = ["test-card"]', 'labels = ["test-card", "protest-sign"]'),
    ("outside the label set", 'labels = ["test-card"]', "labels = []"),
    ("not one of", 'rung = "pause"', 'rung = "arrest"'),
    ("not one of", 'audience = "child"', 'audience = "suspect"'),
    ("not one of", 'when_blind = "cover"', 'when_blind = "guess"'),
    ("out of range", "hold_back_s = 2.0", "hold_back_s = 31"),
    ("out of range", "hold_back_s = 2.0", "hold_back_s = -1"),
    ("out of range", "fast_fps = 6", "fast_fps = 3"),
    ("out of range", "block_s = 600", "block_s = 1"),
    ("budget", 'budget = "1 per hour"', 'budget = "often"'),
    ("budget", 'budget = "1 per hour"', 'budget = "0 per hour"'),
    ("budget", 'budget = "1 per hour"', 'budget = "-1 per hour"'),
    ("order of rungs", 'rung = "pause"', 'rung = "observe"'),
    ("order of budgets", '"1 per 100 hours"', '"2 per hour"'),
    ("test card", "test = true", "test = false"),
    ("legal basis", 'legal_basis = "None is needed: this policy acts on a printed marker, in tests and demonstrations only."', 'legal_basis = " "'),
    ("detector twice", 'name = "camera"', 'name = "test-card"'),
)  # fmt: skip


def made():
    names = sorted(path.stem for path in (packs.root() / "policies").glob("*.toml"))
    accepted = [_accepted((packs.root() / "policies" / f"{name}.toml").read_text("utf-8")) for name in names]
    accepted.append(_accepted(TEST.replace('budget = "1 per hour"', 'budget = "2.5 per 1 days"')))
    refused = [_refused(kind, _changed(old, new)) for kind, old, new in CHANGES]
    refused += [_refused("not toml", TEST + more) for more in ("= =", "[[")]
    refused.append(_refused("unknown key", TEST + 'name = "twice"'))
    for key in KEYS:
        lines = [line for line in TEST.splitlines() if not line.startswith(f"{key} =")]
        refused.append(_refused("missing key", "\n".join(lines)))
    refused.append(_refused("missing key", TEST.partition("[[rungs]]")[0]))
    return {
        "accepted": accepted,
        "refused": refused,
        "consents": [_consent(one, two) for one in names for two in names],
    }


def _changed(old, new):
    assert old in TEST, old
    return TEST.replace(old, new, 1)


def _accepted(toml):
    policy = parse_policy(toml)
    rungs = [[rule.rung, rule.budget.mean_time_s, rule.block_s, rule.after_s] for rule in policy.rungs]
    return {"toml": toml, "json": policy.to_json(), "digest": policy.digest, "rungs": rungs}


def _refused(kind, toml):
    try:
        parse_policy(toml)
    except PolicyError as error:
        return {"kind": kind, "toml": toml, "what": error.what}
    raise AssertionError((kind, toml))


def _consent(to, policy):
    consent = Consent.to(packs.policy(to), "the owner", "2026-11-24")
    return {
        "to": to,
        "policy": policy,
        "toml": consent.to_toml() if to == policy else None,
        "exceeded": consent.exceeded(packs.policy(policy)),
        "mean_times_s": [[rung, number(budget.mean_time_s)] for rung, budget in consent.rungs.items()],
    }
