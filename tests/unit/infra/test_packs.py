"""Signed packs attacked for real: rollback, freeze, mix-and-match, wrong keys, unlogged, forked, a wrong clock."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from tests.packing import (
    ALICE,
    BOB,
    CAROL,
    DETECTORS,
    LOG,
    MALLORY,
    ONLINE,
    WITNESS,
    World,
    edited,
    forge,
    new_key,
    republish_online,
    small_files,
)
from tuf.api.metadata import Metadata, MetaFile, TargetFile

from lightship.core.errors import (
    ClockSkewed,
    InputError,
    LogDamaged,
    LogForked,
    PackChanged,
    PackError,
    PackExpired,
    PackRolledBack,
    PackUnlogged,
    PackUnsigned,
)
from lightship.core.pack import Pack
from lightship.core.witnesses import WitnessKey
from lightship.infra.pack_reader import SKEW, Device
from lightship.infra.pack_repository import Repository, fingerprint
from lightship.infra.tile_log import append, read_checkpoint
from lightship.infra.witness import witness


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.publish(small_files())
    return made


def second(world):
    return world.publish(edited(small_files(), "policies/test.toml", "1 per hour", "2 per hour"))


def test_a_pack_that_everything_vouches_for_is_opened(world):
    opened = world.open(world.device())
    assert opened.pack.files == small_files()
    assert opened.signed_by == ("alice.example.org", "bob.example.org")
    assert opened.seen_by == ("witness.example.org",)
    assert (opened.index, opened.size) == (1, 2)
    assert opened.to_json()["digest"] == opened.pack.digest
    assert "2 of alice.example.org, bob.example.org, carol.example.org must sign" in str(opened.trust)


def test_any_two_of_the_three_may_sign_and_no_one_alone(tmp_path):
    for number, signers in enumerate([(ALICE, BOB), (BOB, CAROL), (CAROL, ALICE)]):
        made = World(tmp_path / str(number))
        made.publish(small_files(), signers=signers)
        assert set(made.open(made.device()).signed_by) == {key.name for key in signers}
    alone = World(tmp_path / "alone")
    with pytest.raises(PackUnsigned, match="1/2"):
        alone.publish(small_files(), signers=(ALICE,))
    with pytest.raises(PackUnsigned):  # the same one twice is still one
        alone.publish(small_files(), signers=(ALICE, ALICE))


def test_the_next_version_is_taken_up(world):
    device = world.device()
    world.open(device)
    pack = second(world)
    assert (pack.version, world.open(device).pack.version) == (2, 2)


# Attacks on the metadata ------------------------------------------------------------------------


def test_one_key_cannot_change_a_pack(world):
    other = Pack("device", 2, "", edited(small_files(), "policies/test.toml", "1 per hour", "60 per hour"))
    targets = world.mirror / "metadata" / "1.targets.json"

    def swap(found):
        found.signed.version = 2
        found.signed.targets = {"device.json": TargetFile.from_data("device.json", other.data, ["sha256"])}

    for number, keys in enumerate([(CAROL,), (CAROL, MALLORY), (CAROL, ONLINE), ()]):
        data = forge(targets, swap, *keys, into=world.mirror / "metadata" / "2.targets.json")
        republish_online(world.mirror, 2, targets=MetaFile.from_data(2, data, ["sha256"]))
        with pytest.raises(PackUnsigned):
            world.open(world.device(f"device-{number}"))
        world.fetch()


def test_changed_bytes_are_noticed_wherever_they_are(world):
    paths = [path for path in world.mirror.rglob("*") if path.is_file() and path.name != ".lock"]
    assert len(paths) > 6
    for number, path in enumerate(paths):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        if "entries" in path.parts or path.name == "1.root.json":
            path.write_bytes(whole)  # entries are for auditors; the device has its own first root
            continue
        with pytest.raises((PackError, LogForked)):
            world.open(world.device(f"device-{number}"))
        path.write_bytes(whole[:middle])  # cut short
        with pytest.raises((PackError, LogForked)):
            world.open(world.device(f"cut-{number}"))
        path.write_bytes(whole)


def test_rollback_to_an_older_version_is_refused(world, tmp_path):
    old = world.fetch(tmp_path / "old")
    device = world.device()
    second(world)
    world.open(device)
    with pytest.raises(PackRolledBack):
        world.open(device, old)


def test_rollback_with_a_stolen_online_key_is_refused(world):
    device = world.device()
    second(world)
    world.open(device)
    first = (world.mirror / "metadata" / "1.targets.json").read_bytes()
    republish_online(world.mirror, 9, targets=MetaFile.from_data(1, first, ["sha256"]))
    with pytest.raises(PackRolledBack):
        world.open(device)


def test_rollback_of_the_log_alone_is_refused(world, tmp_path):
    old = world.fetch(tmp_path / "old")
    device = world.device()
    second(world)
    world.open(device)
    shutil.rmtree(world.mirror / "log")
    shutil.copytree(old / "log", world.mirror / "log")
    with pytest.raises(PackRolledBack, match="has 2 entries, and this device has seen 3"):
        world.open(device)


def test_a_frozen_view_expires(tmp_path):
    world = World(tmp_path, now=datetime.now(UTC) - timedelta(days=8))
    world.publish(small_files())
    with pytest.raises(PackExpired, match="clock says"):
        world.open(world.device())


def test_what_was_accepted_stays_in_force_when_nobody_says_any_more_that_it_is_the_newest(tmp_path):
    began = datetime.now(UTC) - timedelta(days=20)
    world = World(tmp_path, now=began)
    world.publish(small_files())
    device = world.device()
    assert world.open(device, now=began).stale_since is None
    opened = world.open(device)
    assert opened.stale_since == (began + timedelta(days=7)).replace(microsecond=0)
    assert opened.pack.version == 1
    # Another version that came since and that this device never accepted is not taken on its old word.
    second(world)
    with pytest.raises(PackExpired):
        world.open(device)
    # Nor is any pack once what two signers said of it is over.
    with pytest.raises(PackExpired):
        world.open(device, now=began + timedelta(days=181))
    # Online again, the newest is taken, and the old one is a step back.
    world.now = datetime.now(UTC)
    world.repo.sign(ONLINE, world.now)
    witness(world.log, LOG.verifier, WITNESS, world.folder / "witness", world.now)
    opened = world.open(device, world.fetch())
    assert (opened.pack.version, opened.stale_since) == (2, None)


def test_expired_signatures_of_people_are_refused_too(tmp_path):
    world = World(tmp_path, now=datetime.now(UTC) - timedelta(days=181))
    world.publish(small_files())
    world.now = datetime.now(UTC)
    world.repo.sign(ONLINE, world.now)  # the online key alone cannot keep it fresh
    world.fetch()
    with pytest.raises(PackExpired):
        world.open(world.device())


def test_mix_and_match_is_refused(world, tmp_path):
    old = world.fetch(tmp_path / "old")
    second(world)
    metadata = world.mirror / "metadata"
    new_targets, old_targets = metadata / "2.targets.json", old / "metadata" / "1.targets.json"
    # The new snapshot with the old targets under the new name.
    whole = new_targets.read_bytes()
    new_targets.write_bytes(old_targets.read_bytes())
    with pytest.raises(PackChanged):
        world.open(world.device("one"))
    new_targets.write_bytes(whole)
    # The new targets with the old pack's bytes under the new name.
    (new_pack,) = {path.name for path in (world.mirror / "targets").iterdir()} - {
        path.name for path in (old / "targets").iterdir()
    }
    (old_pack,) = (old / "targets").iterdir()
    whole = (world.mirror / "targets" / new_pack).read_bytes()
    (world.mirror / "targets" / new_pack).write_bytes(old_pack.read_bytes())
    with pytest.raises(PackChanged):
        world.open(world.device("two"))
    (world.mirror / "targets" / new_pack).write_bytes(whole)
    # The new timestamp with the old snapshot under the new name.
    (metadata / "2.snapshot.json").write_bytes((old / "metadata" / "1.snapshot.json").read_bytes())
    with pytest.raises(PackChanged):
        world.open(world.device("three"))


def test_two_packs_of_different_times_are_not_mixed(world):
    world.publish(small_files(), name="other")
    device = world.device()
    assert world.open(device, name="other").pack.name == "other"
    assert world.open(device).pack.name == "device"
    with pytest.raises(PackError, match="There are: device, other"):
        world.open(device, name="third")


def test_a_missing_file_is_named(world):
    (pack,) = (world.mirror / "targets").iterdir()
    pack.unlink()
    with pytest.raises(PackError, match="file is missing"):
        world.open(world.device())
    (world.mirror / "metadata" / "timestamp.json").unlink()
    with pytest.raises(PackError, match=r"A file is missing: timestamp\.json"):
        world.open(world.device())


# The root ---------------------------------------------------------------------------------------


def test_a_device_trusts_nobody_before_it_is_told(world, tmp_path):
    with pytest.raises(PackError, match="trusts nobody"):
        world.open(Device(tmp_path / "new"))


def test_a_root_that_one_may_change_or_that_names_no_log_is_refused(world, tmp_path):
    root = tmp_path / "repo" / "metadata" / "1.root.json"
    device = Device(tmp_path / "new")

    def one_is_enough(found):
        found.signed.roles["targets"].threshold = 1

    def no_log(found):
        found.signed.unrecognized_fields.clear()

    for change in (one_is_enough, no_log):
        data = forge(root, change, ALICE, BOB, into=tmp_path / "forged.json")
        with pytest.raises(PackError, match="root"):
            device.begin(data, None)
    data = forge(root, lambda _found: None, ALICE, into=tmp_path / "forged.json")
    with pytest.raises(PackUnsigned):
        device.begin(data, None)
    with pytest.raises(PackError, match="no root"):
        device.begin((tmp_path / "repo" / "metadata" / "1.targets.json").read_bytes(), None)
    with pytest.raises(PackError):
        device.begin(b"{}", None)


def test_signers_change_with_the_signatures_of_two_old_ones_and_in_public(world):
    device = world.device()
    world.open(device)
    dave = new_key("dave.example.org")
    signers = [key.verifier for key in (ALICE, BOB, dave)]
    world.repo.init(
        signers, ONLINE.verifier, LOG.verifier, [WitnessKey.of(WITNESS)], needed=2, quorum=1, now=world.now
    )
    world.repo.sign(dave, world.now)
    with pytest.raises(PackUnsigned):  # new ones alone
        world.repo.sign(ONLINE, world.now)
    for key in (ALICE, BOB):
        world.repo.sign(key, world.now)
    world.repo.sign(ONLINE, world.now)
    world.fetch()
    with pytest.raises(PackUnlogged, match="signers are not in the log"):
        world.open(device)
    world.log_it()
    world.fetch()
    assert world.open(device).trust.version == 2
    world.publish(small_files(), signers=(BOB, dave))
    assert world.open(device).signed_by == ("bob.example.org", "dave.example.org")
    with pytest.raises(InputError, match="nothing here for carol"):
        world.repo.sign(CAROL, world.now)


def test_init_refuses_too_few_and_the_same_one_twice(tmp_path):
    repo = Repository(tmp_path)
    args = (ONLINE.verifier, LOG.verifier, [])
    for keys, needed in (([ALICE], 1), ([ALICE, ALICE], 2), ([ALICE, BOB], 3)):
        with pytest.raises(InputError, match="signers cannot be asked for"):
            repo.init([key.verifier for key in keys], *args, needed=needed, quorum=0, now=datetime.now(UTC))
    with pytest.raises(PackError, match="none of whom holds the online key"):
        repo.init([key.verifier for key in (ALICE, ONLINE)], *args, needed=2, quorum=0, now=datetime.now(UTC))
    with pytest.raises(InputError, match="no packs here yet"):
        repo.build("device", "", small_files(), datetime.now(UTC))


# The log ----------------------------------------------------------------------------------------


def test_a_pack_outside_the_log_is_refused_though_it_is_signed(world):
    device = world.device()
    world.repo.build("device", "secret", small_files(), world.now)
    for key in (ALICE, BOB, ONLINE):
        world.repo.sign(key, world.now)
    world.fetch()
    with pytest.raises(PackUnlogged, match="nobody else can see them"):
        world.open(device)


def test_a_log_that_the_witness_has_not_seen_is_refused(world):
    world.repo.build("device", "next", small_files(), world.now)
    for key in (ALICE, BOB, ONLINE):
        world.repo.sign(key, world.now)
    world.log_it(seen=False)
    world.fetch()
    with pytest.raises(PackUnlogged, match="0 of the 1 witnesses"):
        world.open(world.device())


def test_a_forked_log_is_refused_and_the_evidence_kept(world, tmp_path):
    device = world.device()
    shutil.copytree(world.log, tmp_path / "fork")
    append(world.log, LOG, [b"something for everyone"])
    witness(world.log, LOG.verifier, WITNESS, tmp_path / "witness", world.now)
    world.fetch()
    world.open(device)
    append(tmp_path / "fork", LOG, [b"something for one device", b"more"])
    witness(
        tmp_path / "fork", LOG.verifier, WITNESS, tmp_path / "another", world.now
    )  # a witness that forgot
    shutil.rmtree(world.mirror / "log")
    shutil.copytree(tmp_path / "fork", world.mirror / "log")
    with pytest.raises(LogForked) as caught:
        world.open(device)
    assert caught.value.__notes__ == [read_checkpoint(tmp_path / "fork")]
    (evidence,) = device.state.glob("refused-*.checkpoint")
    assert evidence.read_text() == read_checkpoint(tmp_path / "fork")
    world.fetch()
    assert world.open(device).size == 3  # the true one is still taken


def test_a_checkpoint_of_another_key_or_none_is_refused(world):
    note = world.mirror / "log" / "checkpoint"
    other = world.folder / "other"
    append(other, new_key("log.example.org"), [b"x"])
    note.write_bytes((other / "checkpoint").read_bytes())
    with pytest.raises(PackUnlogged, match="not its own"):
        world.open(world.device())
    note.unlink()
    with pytest.raises(LogDamaged, match="checkpoint cannot be read"):
        world.open(world.device())


def test_truncated_tiles_are_named(world):
    tile = next((world.mirror / "log" / "tile" / "0").rglob("2"))
    tile.write_bytes(tile.read_bytes()[:-5])
    with pytest.raises(LogDamaged, match="cut short"):
        world.open(world.device())


# The clock, and what is kept --------------------------------------------------------------------


def test_a_clock_behind_the_witness_is_said(world):
    with pytest.raises(ClockSkewed, match=r"before what the witness witness\.example\.org says"):
        world.open(world.device(), now=world.now - SKEW - timedelta(minutes=1))


def test_a_clock_that_was_set_back_is_said(world):
    device = world.device()
    world.open(device, now=world.now + timedelta(days=2))
    with pytest.raises(ClockSkewed, match="own last use"):
        world.open(device)


def test_what_was_seen_survives_a_new_root_and_damage_to_it_is_said(world, tmp_path):
    old = world.fetch(tmp_path / "old")
    device = world.device()
    second(world)
    world.open(device)
    device.begin(world.root, None)
    with pytest.raises(PackRolledBack):
        world.open(device, old)
    (device.state / "seen.json").write_text("{")
    with pytest.raises(PackError, match="has seen cannot be read"):
        world.open(device)


def test_a_refused_pack_leaves_what_was_seen_as_it_was(world):
    device = world.device()
    world.open(device)
    before = (device.state / "seen.json").read_bytes()
    second(world)
    (world.mirror / "log" / "checkpoint").write_text("nothing")
    with pytest.raises(PackError):
        world.open(device)
    assert (device.state / "seen.json").read_bytes() == before


def test_the_metadata_is_compact_and_the_fingerprint_is_of_the_bytes(world):
    assert len(world.repo.to_log()[1]) < 1000
    assert Metadata.from_bytes(world.root).signed.version == 1
    assert len(fingerprint(world.root)) == 39


def test_no_detector_beyond_those_given_is_accepted(world):
    with pytest.raises(PackError, match="not in the registry"):
        world.device().open(world.mirror, "device", DETECTORS - {"camera"})
