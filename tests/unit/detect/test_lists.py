"""Governed lists: what comes into force, what is refused while the last good serves, and a matcher that follows."""

import json
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from lightship.app_lists import open_lists
from lightship.core.changes import Changes
from lightship.core.entries import collect
from lightship.core.errors import InputError, ListError
from lightship.core.known import Entry, Terms
from lightship.core.manifest import Manifest, signed
from lightship.core.notes import SigningKey
from lightship.core.terms import Source
from lightship.detect import list_acts
from lightship.detect.follow import Follower, follow
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.list_acts import Offer
from lightship.detect.list_show import shown
from lightship.detect.lists import load_banks
from lightship.detect.matcher import FloodBrake, Matcher

KEYS = [
    SigningKey.from_seed(f"example.org/{name}", bytes([n]) * 32) for n, name in enumerate(("ada", "bo", "cy"))
]
DAY = date(2026, 11, 1)
RNG = np.random.default_rng(5)
FAR = [int.from_bytes(RNG.bytes(32), "big") for _ in range(12)]  # some 128 bits apart


def entry(number, reference):
    return Entry("pdq", FAR[number].to_bytes(32, "big"), 100, reference)


def words(number):
    return np.frombuffer(FAR[number].to_bytes(32, "big"), dtype=">u8").astype(np.uint64)[None]


def offered(*numbers, as_of=DAY, note=""):
    return Offer(collect([entry(n, f"case-{n}") for n in numbers], "x"), "file x", as_of, note)


@pytest.fixture
def lists(tmp_path):
    with open_lists(tmp_path / "lists") as opened:
        yield opened


def begin(lists, *numbers, **terms):
    list_acts.set_terms(lists, Terms("bank", **terms), Source(), "ada")
    return list_acts.offer(lists, "bank", offered(*numbers), "ada")


def quiet(_text):
    pass


def references(matcher, number, subject=""):
    return [hit.reference for hit in matcher.match(words(number), [100], subject=subject)[0].hits]


def kinds(lists):
    return [one["kind"] for one in lists.ledger.entries()]


def test_a_list_of_any_length_comes_back_as_it_was_built(lists):
    list_acts.set_terms(lists, Terms("long", distance=20), Source(), "ada")
    rng = np.random.default_rng(2)
    many = [Entry("pdq", rng.bytes(32), 90, f"r{n}", "clip", float(n)) for n in range(9000)]
    found = collect(
        [*many, Entry("md5", bytes(16), reference="m"), Entry("url", b"example.org/x", reference="u")], "x"
    )
    list_acts.offer(lists, "long", Offer(found, "file", DAY), "ada")
    (bank,) = load_banks(lists)
    assert (bank.hashes, len(bank), bank.version, bank.as_of) == (9000, 9002, 1, DAY)
    assert type(bank.parts[0].index).__name__ == "MultiIndex"
    queries = (
        np.frombuffer(b"".join(one.value for one in many[:50]), dtype=">u8").astype(np.uint64).reshape(-1, 4)
    )
    queries[:, 0] ^= np.uint64(0b11111)
    assert [(hits[0].reference, hits[0].distance, hits[0].at_s) for hits in bank.near(queries)] == [
        (f"r{n}", 5, float(n)) for n in range(50)
    ]
    assert bank.equal("md5", bytes(16)).reference == "m"


def test_the_same_entries_again_are_no_new_version(lists):
    begin(lists, 0, 1)
    made = list_acts.offer(lists, "bank", offered(0, 1), "ada")
    assert (made.manifest.version, made.in_force) == (1, True)


def signers():
    return tuple(str(key.verifier) for key in KEYS[:2])


def test_a_version_comes_into_force_with_the_second_signature(lists):
    made = begin(lists, 0, signers=signers())
    assert not made.in_force
    with pytest.raises(ListError, match="No version"):
        lists.bank("bank")
    assert not list_acts.sign(lists, "bank", KEYS[0], "ada").in_force
    with pytest.raises(InputError, match="none of the list's signers"):
        list_acts.sign(lists, "bank", KEYS[2], "cy")
    made = list_acts.sign(lists, "bank", KEYS[1], "bo")
    assert (made.in_force, made.signed_by) == (True, ("example.org/ada", "example.org/bo"))
    assert references(Matcher(load_banks(lists)), 0) == ["case-0"]
    assert list_acts.verify(lists, "bank")[2] == made.signed_by


def note_of(version, previous, *numbers, keys=KEYS[:2], name="bank"):
    from lightship.core.entries import digest

    made = Manifest(name, version, digest(offered(*numbers).collected.entries), DAY, previous=previous)
    note = made.note()
    for key in keys:
        note = signed(note, key)
    return note, made.digest


def test_what_is_unsigned_wrongly_signed_rolled_back_or_changed_is_refused_and_the_last_good_serves(lists):
    list_acts.set_terms(lists, Terms("bank", signers=signers()), Source(), "ada")
    note, first = note_of(3, "sha256:before", 0)
    assert list_acts.offer(lists, "bank", offered(0, note=note), "ada").in_force
    refused = [
        (note_of(4, first, 1, keys=[])[0], "0 of the 2"),
        (note_of(4, first, 1, keys=[KEYS[0], KEYS[2]])[0], "1 of the 2"),
        (note_of(4, first, 1)[0].replace("2026-11-01", "2026-11-02"), "0 of the 2"),
        (note_of(2, "", 1)[0], "rolled back"),
        (note_of(3, "", 1)[0], "rolled back"),
        (note_of(4, "sha256:another", 1)[0], "history is another"),
        (note_of(4, first, 2)[0], "checksum"),
        (note_of(4, first, 1, name="other")[0], "of the list other"),
        ("hello\n", "not a list's manifest"),
    ]
    for note, why in refused:
        with pytest.raises(ListError, match=why) as caught:
            list_acts.offer(lists, "bank", offered(1, note=note), "ada")
        assert "Version 3 of 2026-11-01" in str(caught.value)
        assert "goes on serving" in str(caught.value)
    assert kinds(lists).count("list refused") >= 5
    assert any("refused" in alarm for alarm in shown(lists, "bank", DAY).alarms)
    assert references(Matcher(load_banks(lists)), 0) == ["case-0"]
    note, _ = note_of(4, first, 1)
    assert list_acts.offer(lists, "bank", offered(1, note=note), "ada").in_force
    assert references(Matcher(load_banks(lists)), 1) == ["case-1"]
    assert not shown(lists, "bank", DAY).alarms


def test_a_pointer_that_was_moved_back_is_noticed_and_the_newest_good_version_serves(lists):
    begin(lists, 0)
    list_acts.offer(lists, "bank", offered(1), "ada")
    lists.store.publish("bank", 1)
    said = []
    (bank,) = load_banks(lists, tell=said.append)
    assert (bank.version, len(said)) == (2, 1)
    assert "rolled back" in said[0]
    with pytest.raises(ListError, match="rolled back"):
        list_acts.verify(lists, "bank")


def test_a_damaged_version_is_told_and_the_one_before_serves(lists):
    begin(lists, 0)
    list_acts.offer(lists, "bank", offered(1), "ada")
    path = lists.store.folder / "bank" / "v000002.list"
    path.write_bytes(path.read_bytes()[:-1])
    said = []
    (bank,) = load_banks(lists, tell=said.append)
    assert bank.version == 1
    assert "ALARM" in said[0]
    assert "days old) serves instead" in said[0]
    assert "list refused" in kinds(lists)
    (lists.store.folder / "bank" / "v000001.list").unlink()
    with pytest.raises(ListError, match="damaged"):
        load_banks(lists, tell=quiet)


def test_another_list_under_the_same_name_is_not_the_one_that_was_published(lists, tmp_path):
    begin(lists, 0)
    with open_lists(tmp_path / "lists") as same:
        stored = offered(1)
        bank = list_acts.build(Terms("bank"), stored.collected, DAY)
        made = Manifest("bank", 1, bank.digest, DAY)
        same.store.write("bank", 1, list_acts.to_arrays(bank), {}, made.note())
    with pytest.raises(ListError, match="not the one that was published"):
        lists.bank("bank")


def test_a_disabled_entry_does_not_match_until_it_is_enabled_and_both_are_on_record(lists):
    begin(lists, 0, 1)
    matcher = Matcher(load_banks(lists))
    follower = Follower(lists, matcher, quiet)
    follower.step()
    with pytest.raises(InputError, match="no entry"):
        list_acts.disable(lists, "bank", "case-7", "why", "ada")
    with pytest.raises(InputError, match="reason"):
        list_acts.disable(lists, "bank", "case-0", " ", "ada")
    list_acts.disable(lists, "bank", "case-0", "a statue", "ada")
    assert follower.step()
    assert references(matcher, 0) == []
    assert references(matcher, 1) == ["case-1"]
    with pytest.raises(InputError, match="not disabled"):
        list_acts.enable(lists, "bank", "case-1", "why", "ada")
    list_acts.enable(lists, "bank", "case-0", "it was one", "bo")
    assert follower.step()
    assert references(matcher, 0) == ["case-0"]
    acts = [one for one in lists.ledger.entries() if one["kind"].startswith("entry")]
    assert [(one["kind"], one["reference"], one["reason"], one["by"]) for one in acts] == [
        ("entry disabled", "case-0", "a statue", "ada"),
        ("entry enabled", "case-0", "it was one", "bo"),
    ]


def test_looking_up_a_canary_is_an_alarm_and_no_match(lists):
    begin(lists, 0)
    said = []
    matcher = Matcher(load_banks(lists))
    follower = Follower(lists, matcher, said.append)
    follower.step()
    canary = np.frombuffer(lists.store.canary("bank", 2), dtype=">u8").astype(np.uint64)[None]
    (finding,) = matcher.match(canary, [100], subject="tenant-4")
    assert (finding.hits, finding.weight_db, finding.overridden) == ((), 0.0, ())
    follower.step()
    (alarm,) = [one for one in lists.ledger.entries() if one["kind"] == "canary looked up"]
    assert (alarm["reference"], alarm["subject"]) == ("canary 2", "tenant-4")
    assert "tenant-4 looked up canary 2" in said[-1]
    assert matcher.banks[0].hashes == 1


def test_a_flood_is_set_aside_across_restarts_until_a_person_releases_it(lists):
    begin(lists, 0)
    matcher = Matcher(load_banks(lists), brake=FloodBrake(subjects=3))
    follower = Follower(lists, matcher, quiet)
    follower.step()
    for stream in range(3):
        references(matcher, 0, f"s{stream}")
    follower.step()
    assert references(matcher, 0, "s9") == []
    later = Matcher(load_banks(lists), brake=FloodBrake(subjects=3))
    after = Follower(lists, later, quiet)
    after.step()
    assert references(later, 0, "s9") == []
    assert any("floods" in alarm for alarm in shown(lists, "bank", DAY).alarms)
    with pytest.raises(InputError, match="not set aside"):
        list_acts.release(lists, "bank", "case-1", "looked", "ada")
    list_acts.release(lists, "bank", "case-0", "looked: it is the film", "ada")
    for one, its in ((follower, matcher), (after, later)):
        one.step()
        assert references(its, 0, "s9") == ["case-0"]


def test_an_override_by_known_lawful_material_is_on_record_once(lists):
    begin(lists, 0)
    list_acts.set_terms(lists, Terms("lawful", "negative"), Source(), "ada")
    list_acts.offer(lists, "lawful", offered(0), "ada")
    matcher = Matcher(load_banks(lists))
    follower = Follower(lists, matcher, quiet)
    for _ in range(3):
        assert references(matcher, 0) == []
        follower.step()
    (record,) = [one for one in lists.ledger.entries() if one["kind"] == "match overridden"]
    assert (record["list"], record["reference"]) == ("bank", "case-0")
    assert "list lawful, entry case-0" in record["reason"]


def test_a_stale_list_is_an_alarm_on_record_once_and_serves(lists):
    begin(lists, 0, max_age_days=7)
    said = []
    (bank,) = load_banks(lists, tell=said.append)
    assert "is stale" in said[0]
    assert str((datetime.now(UTC).date() - DAY).days) in said[0]
    load_banks(lists, tell=quiet)
    assert kinds(lists).count("list stale") == 1
    assert references(Matcher((bank,)), 0) == ["case-0"]
    assert "stale" in shown(lists, "bank", DAY + timedelta(days=8)).alarms[0]
    assert not shown(lists, "bank", DAY + timedelta(days=7)).alarms


def test_a_change_is_matchable_within_two_seconds_and_terms_take_effect(lists, tmp_path):
    begin(lists, 0)
    matcher = Matcher(())
    with follow(lists, matcher, tell=quiet), open_lists(tmp_path / "lists") as other:
        assert references(matcher, 0) == ["case-0"]
        began = time.monotonic()
        list_acts.offer(other, "bank", offered(0, 1), "bo")
        while references(matcher, 1) != ["case-1"]:
            assert time.monotonic() - began < 2.0
            time.sleep(0.01)
        list_acts.set_terms(other, Terms("bank", distance=2), Source(), "bo")
        near = words(0) ^ np.array([[7, 0, 0, 0]], dtype=np.uint64)
        began = time.monotonic()
        while matcher.match(near, [100])[0].hits:
            assert time.monotonic() - began < 2.0
            time.sleep(0.01)


def test_what_breaks_while_a_matcher_follows_does_not_stop_it(lists):
    begin(lists, 0)
    said = []
    matcher = Matcher(load_banks(lists))
    follower = Follower(lists, matcher, said.append)
    follower.step()
    list_acts.offer(lists, "bank", offered(1), "ada")
    for path in (lists.store.folder / "bank").glob("*.list"):
        path.write_bytes(b"rubbish")
    follower.step()
    assert references(matcher, 0) == ["case-0"]
    assert "goes on serving" in said[-1]
    assert "goes on serving" in matcher.troubles[0]
    told = len(said)
    follower._tried_s = float("-inf")
    follower.step()
    assert len(said) == told, "it is said once"
    list_acts.offer(lists, "bank", offered(2), "ada")
    follower.step()
    assert references(matcher, 2) == ["case-2"]
    assert matcher.troubles == ()


def test_lists_whose_folder_is_away_go_on_serving_and_it_is_a_trouble_until_it_is_back(lists):
    begin(lists, 0)
    matcher = Matcher(())
    with follow(lists, matcher, tell=quiet, every_s=0.01):
        lists.store.folder.rename(lists.store.folder.with_name("away"))
        assert _until(lambda: matcher.troubles)
        assert "Bring its folder back" in matcher.troubles[0]
        assert references(matcher, 0) == ["case-0"]
        lists.store.folder.with_name("away").rename(lists.store.folder)
        assert _until(lambda: not matcher.troubles)
        assert references(matcher, 0) == ["case-0"]


def _until(what, seconds=5.0):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_a_detector_over_a_matcher_sees_what_is_swapped_and_says_so(lists):
    begin(lists, 0)
    matcher = Matcher(load_banks(lists))
    detector = KnownMediaDetector.load(matcher)
    before = detector.version
    list_acts.offer(lists, "bank", offered(0, 1), "ada")
    Follower(lists, matcher, quiet).step()
    assert references(detector.matcher, 1) == ["case-1"]
    assert detector.version != before


def test_banks_that_came_straight_from_files_stay_beside_the_followed(lists):
    begin(lists, 0)
    straight = list_acts.build(Terms("file"), offered(1).collected, DAY)
    matcher = Matcher((straight,))
    Follower(lists, matcher, quiet).step()
    assert references(matcher, 0) + references(matcher, 1) == ["case-0", "case-1"]


def test_an_exchanges_delta_becomes_the_next_version_with_its_checkpoint(lists):
    begin(lists, 0, 1)
    seen = []

    def fetch(_source, facts):
        seen.append(dict(facts))
        changes = Changes()
        changes.drop("case-0")
        changes.add(entry(2 + len(seen), "new"))
        return changes, {"checkpoint": len(seen)}

    for _ in range(2):
        made = list_acts.refresh(lists, "bank", fetch, DAY, "ada")
    assert seen == [{}, {"checkpoint": 1}]
    assert (made.manifest.version, made.manifest.counts) == (3, {"pdq": 2})
    found = list_acts.compare(lists, "bank", 1, 3)
    assert (found.added, found.removed) == ({"pdq": ("new",)}, {"pdq": ("case-0",)})
    with pytest.raises(InputError, match="no two such versions"):
        list_acts.compare(lists, "bank", 1, 9)


def test_an_exchange_that_fails_leaves_the_last_good_and_says_how_old_it_is(lists):
    begin(lists, 0)

    def fetch(_source, _facts):
        raise ListError("The exchange cannot be used: the server stayed busy.", "ncmec", "Try again.")

    with pytest.raises(
        ListError, match=r"stayed busy.*Version 1 of 2026-11-01 \(\d+ days old\) goes on serving"
    ):
        list_acts.refresh(lists, "bank", fetch, DAY, "ada")
    assert "list refused" in kinds(lists)


def test_feedback_for_the_owner_names_references_and_no_person(lists):
    begin(lists, 0)
    list_acts.feed_back(lists, "bank", "case-0", "false-positive", "a press photograph", "ada")
    with pytest.raises(InputError, match="no verdict"):
        list_acts.feed_back(lists, "bank", "case-0", "maybe", "x", "ada")
    text = json.dumps(list_acts.feedback_for_owner(lists, "bank"))
    assert "a press photograph" in text
    assert "ada" not in text


def test_no_hash_is_in_the_ledger_or_in_what_is_shown(lists):
    begin(lists, *range(12))
    list_acts.disable(lists, "bank", "case-3", "why", "ada")
    told = (
        json.dumps(list(lists.ledger.entries()))
        + str(shown(lists, "bank", DAY))
        + json.dumps(shown(lists, "bank", DAY).to_json())
    )
    assert not [number for number in FAR if f"{number:064x}"[:16] in told]


def test_the_ledger_of_the_lists_verifies(lists, tmp_path):
    from lightship.infra.keys import load_public_key
    from lightship.infra.ledger_file import verify_file

    begin(lists, 0)
    report = verify_file(tmp_path / "lists.ledger", load_public_key(tmp_path / "lists.pub"))
    assert report.ok
    assert report.size == len(kinds(lists)) == 3
