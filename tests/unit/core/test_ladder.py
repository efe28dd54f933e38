"""Policies are closed data: what is unknown, missing or of the wrong kind is refused, and named."""

import re
import tomllib

import pytest

from lightship import packs
from lightship.core.errors import PolicyError
from lightship.core.ladder import LABELS, parse_policy

SHIPPED = ("child-device", "adult-device", "broadcast", "test")
TEXT = (packs.root() / "policies" / "test.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_parse_and_have_help_lines(name):
    policy = packs.policy(name)
    assert policy.name == name
    assert policy.test is (name == "test")
    helps = packs.help_lines(policy.jurisdiction)
    assert any(line.audience in {"all", policy.audience} for line in helps)
    assert all(line.source.startswith("https://") for line in helps)


def test_only_the_test_policy_names_the_test_card():
    for name in SHIPPED:
        labels = {label for use in packs.policy(name).detectors for label in use.labels}
        assert ("test-card" in labels) is (name == "test")
        assert labels <= LABELS


def test_the_digest_is_of_what_the_policy_says_not_of_how_it_is_written():
    lines = [line for line in TEXT.splitlines() if not line.startswith("#")]
    assert parse_policy("\n\n".join(lines).replace(" = ", "   =  ")).digest == parse_policy(TEXT).digest
    assert parse_policy(TEXT.replace("1 per hour", "60 per 60 hours")).digest == parse_policy(TEXT).digest
    assert parse_policy(TEXT.replace("1 per hour", "2 per hour")).digest != parse_policy(TEXT).digest


TOP = [
    key for key, value in tomllib.loads(TEXT).items() if not isinstance(value, list) or key == "card_lines"
]
REQUIRED = ["name", "version", "title", "jurisdiction", "audience", "legal_basis", "card_title", "card_lines"]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(key):
    with pytest.raises(PolicyError, match=f"'{key}' is missing"):
        parse_policy(re.sub(rf"(?m)^{key} = .*$", "", TEXT, count=1))


@pytest.mark.parametrize("key", TOP)
def test_a_key_of_the_wrong_type_is_named(key):
    with pytest.raises(PolicyError, match=key):
        parse_policy(re.sub(rf"(?m)^{key} = .*$", f"{key} = {{ a = 1 }}", TEXT, count=1))


@pytest.mark.parametrize(("old", "new", "said"), [
    ('name = "test"', 'name = "test"\nextra = 1', "extra"),
    ('[[detectors]]\nname = "test-card"', '[[detectors]]\nextra = 1\nname = "test-card"', "extra"),
    ('[[rungs]]\nrung = "blur"', '[[rungs]]\nextra = 1\nrung = "blur"', "extra"),
    ('rung = "blur"', 'rung = "smash"', "smash"),
    ('labels = ["test-card"]', 'labels = ["weapon"]', "closed label set"),
    ('labels = ["test-card"]', "labels = []", "closed label set"),
    ('when_blind = "cover"', 'when_blind = "ignore"', "ignore"),
    ("test = true", "test = false", "test = true"),
    ("hold_back_s = 2.0", "hold_back_s = -1.0", "outside"),
    ("fast_fps = 6", "fast_fps = 1", "outside"),
    ('budget = "1 per hour"', 'budget = "1 per 1000 hours"', "larger budget"),
    ('rung = "blur"', 'rung = "pause"', "order"),
    ('legal_basis = "None', 'legal_basis = ""  # "None', "legal basis is empty"),
    ('name = "known-media"', 'name = "test-card"', "twice"),
    ("[[rungs]]", "[[steps]]", "rungs"),
    ('title = "', "title = ", "TOML"),
])  # fmt: skip
def test_every_fault_is_named(old, new, said):
    assert old in TEXT
    with pytest.raises(PolicyError, match=re.escape(said)):
        parse_policy(TEXT.replace(old, new))


def test_a_policy_without_rungs_is_refused_with_words():
    head, _, _ = TEXT.partition("[[rungs]]")
    with pytest.raises(PolicyError, match=r"There is no \[\[rungs\]\].*Add at least one"):
        parse_policy(f"rungs = []\n{head}")


def test_every_key_is_documented():
    reference = (packs.root().parent / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    source = (packs.root().parent / "src" / "lightship" / "core" / "ladder.py").read_text(encoding="utf-8")
    keys = re.findall(r'reader\.(?:take|number|words|one_of|tables)\(\s*"(\w+)"', source)
    assert len(keys) > 20
    assert [key for key in keys if f"`{key}`" not in reference] == []
