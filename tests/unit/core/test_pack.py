"""What a pack may hold, what the owner of a device agreed to, and what a change means in words."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.packing import ALICE, DETECTORS, LIST_SIGNERS, edited, shipped, small_files, with_list

from lightship import packs
from lightship.app_packs import files_of
from lightship.core.consent import Consent
from lightship.core.errors import ConsentExceeded, PackError
from lightship.core.ladder import parse_policy
from lightship.core.manifest import Manifest
from lightship.core.notes import VerifierKey
from lightship.core.pack import Pack, check
from lightship.core.pack_diff import changes

LIST = Manifest(
    "hotline", 3, "sha256:" + "1" * 64, date(2026, 11, 20), {"pdq": 1000, "md5": 204}, "a hotline"
)


def pack(files, version=1):
    return Pack("device", version, "A device", files)


def checked(files):
    made = pack(files)
    check(made, DETECTORS, "here")
    return made


def whole():
    """All that is shipped, with the model card that the policies name."""
    return files_of(packs.root())[0]


def test_what_is_shipped_is_a_pack_and_is_read_as_it_was_written():
    made = checked(whole())
    again = Pack.parse(made.data, "here")
    assert (again, again.digest) == (made, made.digest)
    assert {"child-device", "adult-device", "test"} <= set(made.policies)
    assert "nudenet-320n" in made.cards


@given(
    st.binary(max_size=80)
    | st.just(b'{"format":"lightship.pack/1"}')
    | st.just(b"[]")
    | st.just(b"[" * 100_000)
)
def test_what_is_no_pack_is_refused_by_name(data):
    with pytest.raises(PackError, match="not a pack"):
        Pack.parse(data, "here")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "../device", "not a pack's name"),
        ("name", 5, "not a pack's name"),
        ("version", 0, "version 0"),
        ("version", True, "version True"),
        ("files", ["x"], "no table"),
        ("files", {"policies/../../etc/passwd": ""}, "no place for"),
        ("files", {"/etc/passwd": ""}, "no place for"),
        ("files", {"code/run.py": ""}, "no place for"),
        ("files", {"policies/x.toml": 5}, "no place for"),
        ("files", {"policies/.hidden": ""}, "no place for"),
    ],
)
def test_names_versions_and_paths_are_closed(field, value, words):
    table = json.loads(pack(small_files()).data)
    with pytest.raises(PackError, match=words):
        Pack.parse(json.dumps({**table, field: value}).encode(), "here")
    with pytest.raises(PackError, match="not a pack"):
        Pack.parse(json.dumps({**table, "more": 1}).encode(), "here")


TEST = "policies/test.toml"
EXPOSURE = {**shipped("policies/child-device.toml", "jurisdictions/gb.toml")}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (edited(small_files(), TEST, '["test-card"]', '["test-card", "protest-sign"]'), "protest-sign is outside the closed label set"),
        (edited(small_files(), TEST, 'name = "camera"', 'name = "face-finder"'), "'face-finder', which is not in the registry"),
        (edited(small_files(), TEST, 'name = "test"', 'name = "other"'), "calls itself 'other'"),
        (edited(small_files(), TEST, 'jurisdiction = "gb"', 'jurisdiction = "fr"'), "jurisdiction 'fr', which the pack does not hold"),
        (edited(small_files(), TEST, '\nname = "known-media"', '\nname = "known-media"\noptions = {lists = "/etc/passwd"}'), "option 'lists', which no pack may give"),
        (EXPOSURE, "calibration 'exposure-nudenet-320n', which the pack does not hold"),
        ({**EXPOSURE, **shipped("calibrations/exposure-nudenet-320n.json")}, "card 'nudenet-320n', which the pack does not hold"),
        ({**small_files(), "cards/x.toml": 'sha256 = "short"'}, "does not pin its model"),
        ({**small_files(), "cards/x.toml": "not toml"}, "cannot be read"),
        ({**small_files(), "calibrations/x.json": "{}"}, "cannot be read"),
        ({**small_files(), "typologies/x.toml": "= ="}, "cannot be read"),
        ({**small_files(), "lists/x.manifest": "nothing"}, "names fewer than two keys|not a list's manifest"),
        ({**small_files(), "policies/x.py": "import os"}, "no place for policies/x.py"),
        (with_list(small_files(), LIST, LIST_SIGNERS[:1]), "bears 1 of the 2 signatures"),
    ],
)  # fmt: skip
def test_a_pack_that_holds_more_than_a_pack_may_is_refused_and_says_so(files, words):
    with pytest.raises(PackError, match=words):
        checked(files)


def test_one_key_named_twice_does_not_vouch_for_a_list():
    files = with_list(small_files(), LIST, LIST_SIGNERS[:1])
    files["lists/hotline.keys"] = f"{LIST_SIGNERS[0].verifier}\n" * 2
    with pytest.raises(PackError, match="fewer than two keys"):
        checked(files)


# Consent ----------------------------------------------------------------------------------------


def agreed(name="child-device"):
    return Consent.to(packs.policy(name), "A parent", "2026-11-24", frozenset({"hotline"}))


@pytest.mark.parametrize("name", ["child-device", "adult-device", "broadcast", "test"])
def test_consent_to_a_policy_is_read_as_it_was_written_and_covers_it(name):
    consent = Consent.parse(agreed(name).to_toml(), "here")
    assert consent.exceeded(packs.policy(name)) == []
    assert consent.lists == {"hotline"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'budget = "1 per hour"',
            'budget = "2 per hour"',
            "blur by mistake 2 per h, and 1 per h was agreed to",
        ),
        ('"1 per 1000 hours"', '"1 per 999 hours"', "end by mistake 1 per 999 h"),
        ('release = "benign"', 'release = "never"', "end by “never” alone"),
        ('when_blind = "cover"', 'when_blind = "pass-with-notice"', "pass-with-notice while it cannot see"),
        ('name = "camera"', 'name = "another"', "the detector “another”"),
    ],
)
def test_what_goes_beyond_consent_is_said(old, new, words):
    policy = parse_policy(
        edited(EXPOSURE, "policies/child-device.toml", old, new)["policies/child-device.toml"]
    )
    assert any(words in one for one in agreed().exceeded(policy))
    with pytest.raises(ConsentExceeded, match="A parent agreed to on 2026-11-24"):
        agreed().check(policy, "here")


def test_less_than_was_agreed_to_is_within_it_and_a_new_rung_or_label_is_not():
    policy = packs.policy("child-device")
    assert agreed().exceeded(replace(policy, rungs=policy.rungs[:2], detectors=policy.detectors[:1])) == []
    less = Consent.to(replace(policy, rungs=policy.rungs[:3]), "x", "today")
    assert less.exceeded(policy) == ["it could end, and nobody agreed to that"]
    assert "it would act on “test-card”" in agreed().exceeded(packs.policy("test"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('by = "A parent"', 'by = " "', "nothing was agreed"),
        ('at = "2026-11-24"', "", "lacks 'at'"),
        ('"exposed"', '"anything"', "anything is not one of"),
        ('labels = ["camera-black"', "labels = [5", "not a list of words"),
        ("[rungs]", "more = 1\n[rungs]", "unknown key more"),
        ("end =", "arrest =", "arrest is not one of"),
        ('"1 per 100 hours"', '"often"', "not an alarm budget"),
        ("[rungs]", "[rungs", "refused"),
    ],
)
def test_a_consent_that_is_none_is_refused_by_name(old, new, words):
    text = agreed().to_toml()
    assert old in text
    with pytest.raises(PackError, match=words):
        Consent.parse(text.replace(old, new), "here")


# The difference in words ------------------------------------------------------------------------


def said(old, new):
    return changes(pack(old), pack(new, 2))


def test_a_change_is_said_as_what_it_means_for_a_person():
    files = whole()
    assert said(files, files) == []
    child = "policies/child-device.toml"
    looser = edited(files, child, 'budget = "1 per hour"', 'budget = "2 per hour"')
    assert said(files, looser) == [
        "policy child-device: blur budget 1 per h → 2 per h: 2 times as many mistakes allowed"
    ]
    assert "2 times fewer" in said(looser, files)[0]
    assert said(files, edited(files, child, "after_s = 30", "after_s = 5")) == [
        "policy child-device: end after 30 s of cover → 5 s of cover".replace("5 s of cover", "5 s")
    ]
    assert said(files, edited(files, child, 'release = "benign"', 'release = "never"')) == [
        "policy child-device: what ends a cover: “benign” → “never”"
    ]
    assert said(files, edited(files, child, '"You can stop', '"You may stop'))[0].startswith(
        "policy child-device: the words on the still card"
    )
    more = edited(files, child, '["camera-frozen", "camera-black"]', '["camera-frozen"]')
    assert said(more, files) == ["policy child-device: the detector camera would also act on camera-black"]
    assert said(files, edited(files, "jurisdictions/gb.toml", "0800 1111:", "0800 9999:")) == [
        'jurisdictions/gb.toml: - words = "Childline 0800 1111: free, private, day and night"',
        'jurisdictions/gb.toml: + words = "Childline 0800 9999: free, private, day and night"',
    ]


def test_a_rung_a_policy_and_a_detector_that_come_or_go_are_said():
    files = whole()
    adult = "policies/adult-device.toml"
    ended = edited(
        files, adult, "after_s = 2", 'after_s = 2\n\n[[rungs]]\nrung = "end"\nbudget = "1 per 2000 hours"'
    )
    assert said(files, ended) == [
        "policy adult-device: it could end, at most 1 per 2000 h by mistake, which it cannot now"
    ]
    assert said(ended, files) == ["policy adult-device: it would end no more"]
    without = {path: text for path, text in files.items() if path != adult}
    assert said(files, without) == ["policy adult-device: removed"]
    (new,) = said(without, files)
    assert new.startswith(
        "new policy adult-device: acts on camera-black, camera-frozen, known-media; blur at most"
    )
    watched = edited(
        files,
        adult,
        'name = "camera"\nlabels = ["camera-frozen", "camera-black"]',
        'name = "test-card"\nlabels = ["test-card"]',
    )
    with pytest.raises(PackError, match="Only a policy marked"):
        checked(watched)


def test_another_model_is_said_in_capitals():
    files = whole()
    card = "cards/nudenet-320n.toml"
    assert said(files, edited(files, card, "c15d8273adad", "000000000000")) == [
        "model card nudenet-320n: ANOTHER MODEL: c15d8273adad… → 000000000000…"
    ]
    counted = edited(
        files,
        card,
        '"buttocks-exposed",\n    "female-breast-exposed",\n    "female-genitalia-exposed",\n    "anus-exposed",\n    "male-genitalia-exposed",\n]',
        '"buttocks-exposed", "face-male"]',
    )
    (more, less) = said(files, counted)
    assert more == "model card nudenet-320n: would also count face-male"
    assert less.startswith("model card nudenet-320n: would count no more anus-exposed, female-breast-exposed")


def test_lists_are_said_with_their_entries_and_signers():
    files = small_files()
    first = with_list(files, LIST)
    assert said(files, first) == [
        "new list hotline: +1,204 entries, version 3 of 2026-11-20, signers hotline.example.org, police.example.org"
    ]
    grown = replace(LIST, version=4, digest="sha256:" + "2" * 64, counts={"pdq": 1001, "md5": 204})
    assert said(first, with_list(files, grown)) == [
        "list hotline: +1 entries, version 3 → 4 of 2026-11-20, signers hotline.example.org, police.example.org"
    ]
    swapped = replace(grown, counts=LIST.counts)
    assert "+0 entries, and others in place of some" in said(first, with_list(files, swapped))[0]
    assert said(first, files) == ["list hotline: removed"]
    third = VerifierKey("third.example.org", ALICE.verifier.public)
    more = {**first, "lists/hotline.keys": f"{first['lists/hotline.keys']}{third}\n"}
    assert said(first, more) == ["list hotline: OTHERS MAY VOUCH for it than before"]


def test_a_calibration_is_said_by_its_benign_hours():
    files = whole()
    name = "calibrations/exposure-nudenet-320n.json"
    value = json.loads(files[name])
    value["streams"] = value["streams"][:1]
    (line,) = said(files, {**files, name: json.dumps(value)})
    assert line.startswith(f"{name}: ")
    assert line.endswith("benign hours")
    assert said(files, {**files, "calibrations/pdq-chance.json": '{"format": "x"}'}) == [
        "calibrations/pdq-chance.json: another table → another table"
    ]
