"""An intimate image is down when a sweep says so, within 48 hours of its notice; or there is an exception, with its reason."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.duties.making import T0, gb, store_in
from tests.unit.watch.making import picture
from typer.testing import CliRunner

from lightship import app_intimate
from lightship.app_duties import vault_beside
from lightship.app_platform import Deployment
from lightship.cli import app
from lightship.core.cases import Case, Stream
from lightship.core.duties import Paper
from lightship.core.errors import AccessDenied, InputError, LightshipError
from lightship.duties import clocks, intimate
from lightship.duties import record_book_papers as papers
from lightship.duties.intimate import Looked
from lightship.media.frames import MediaInfo
from lightship.media.sinks import open_sink
from lightship.watch import evidence
from lightship.watch.ring import Still, encoded

UP = Looked("a.mp4", ((2.0, 6.0),), 9)
DOWN = Looked("a.mp4", (), 9)
DARK = Looked("b.mp4", (), 0, ("It cannot be opened.",))


@pytest.fixture
def work(tmp_path, database):
    with store_in(tmp_path) as store, store.begin() as work:
        yield work


@pytest.fixture
def clock(work):
    return clocks.begin(work, gb(), clocks.SWEPT, about="c1", began_at=T0, by="ann").id


def ended(work, clock, **more):
    return intimate.end(work, clock, **{"outcome": "", "by": "ann", "now": T0 + timedelta(hours=20), **more})


def swept(work, clock, *found, hours=1):
    now = T0 + timedelta(hours=hours)
    return intimate.swept(work, clock, found, 3, by="ann", now=now)


def test_nobodys_word_ends_it(work, clock):
    with pytest.raises(AccessDenied, match="ends when a sweep says"):
        clocks.end(work, clock, outcome="it is down, I promise", by="ann", now=T0)
    with pytest.raises(AccessDenied, match="Nothing was swept"):
        ended(work, clock, outcome="it is down, I promise")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((UP,), "still up in 1: a.mp4"),
        ((DOWN, DARK), "Not looked at whole: b.mp4"),
        ((UP, DARK), "still up"),
    ],
)
def test_a_copy_that_is_up_or_a_recording_that_cannot_be_read_keeps_it_open(work, clock, found, said):
    swept(work, clock, *found)
    with pytest.raises(AccessDenied, match=said):
        ended(work, clock)


def test_the_last_sweep_counts_and_every_one_stays_on_record(work, clock):
    swept(work, clock, UP)
    swept(work, clock, DOWN, hours=2)
    assert ended(work, clock).outcome == "Swept 1 recording for 3 pictures. No copy is up."
    found = work.find(Paper, {"kind": "sweep", "subject": clock}, order=("version",))
    assert [one.version for one in found] == [1, 2]
    assert found[1].before == found[0].id
    with pytest.raises(AccessDenied, match="ended before"):
        swept(work, clock, DOWN, hours=3)
    with pytest.raises(AccessDenied, match="ended before"):
        ended(work, clock)


def test_a_recording_may_stay_for_a_reason_that_outlives_the_next_sweep(work, clock):
    with pytest.raises(InputError, match="did not look at"):
        intimate.except_(work, clock, "a.mp4", why="x", by="ann", now=T0)
    swept(work, clock, UP, DARK)
    for name, why in (("a.mp4", "The person it shows asked that it stay."), ("b.mp4", "Deleted meanwhile.")):
        intimate.except_(work, clock, name, why=why, by="lee", now=T0 + timedelta(hours=2))
    with pytest.raises(InputError, match="did not look at"):
        intimate.except_(work, clock, "c.mp4", why="x", by="ann", now=T0)
    with pytest.raises(InputError, match="has a reason"):
        intimate.except_(work, clock, "a.mp4", why=" ", by="ann", now=T0)
    swept(work, clock, UP, DARK, hours=3)
    assert "Excepted with a reason: 2" in ended(work, clock).outcome


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Looked("b.mp4", (), 0, ("Timed out.",)), Looked("b.mp4", ((0.0, 9.0),), 9)),
        (Looked("b.mp4", ((0.0, 9.0),), 9), Looked("b.mp4", ((0.0, 9.0),), 9, ("A part is damaged.",))),
        (Looked("b.mp4", (), 9), Looked("b.mp4", ((0.0, 9.0),), 9)),
    ],
)
def test_an_exception_does_not_answer_for_what_came_to_light_later(work, clock, first, then):
    swept(work, clock, first)
    intimate.except_(work, clock, "b.mp4", why="Its server is off.", by="lee", now=T0 + timedelta(hours=2))
    swept(work, clock, first, hours=3)
    assert intimate.said(work, clock)["recordings"][0]["excepted"] == "Its server is off."
    swept(work, clock, then, hours=4)
    assert intimate.said(work, clock)["recordings"][0]["excepted"] == ""
    with pytest.raises(AccessDenied, match="still up"):
        ended(work, clock)
    swept(work, clock, first, hours=5)
    assert intimate.said(work, clock)["recordings"][0]["excepted"] == ""
    swept(work, clock, then, hours=6)
    intimate.except_(
        work, clock, "b.mp4", why="She asked that it stay.", by="lee", now=T0 + timedelta(hours=7)
    )
    assert "Excepted with a reason: 1" in ended(work, clock).outcome


def test_a_late_end_says_why(work, clock):
    swept(work, clock, DOWN)
    late = T0 + timedelta(hours=48, seconds=1)
    with pytest.raises(InputError, match=r"It is late. .*Say why"):
        ended(work, clock, now=late, outcome=" ")
    assert ended(work, clock, now=late, outcome="The host was slow.").outcome.endswith("The host was slow.")


def test_an_exception_ends_it_without_a_sweep_and_only_with_its_reason(work, clock):
    with pytest.raises(InputError, match="outcome"):
        ended(work, clock, exception=True)
    done = ended(work, clock, exception=True, outcome="It shows a statue.")
    assert done.outcome == "An exception: It shows a statue."


@pytest.mark.parametrize("found", [(), (Looked("c.mp4", (), 0),)])
def test_a_sweep_that_looked_at_nothing_proves_nothing(work, clock, found):
    if not found:
        with pytest.raises(InputError, match="looks at recordings"):
            swept(work, clock, *found)
    else:
        swept(work, clock, *found)
        with pytest.raises(AccessDenied, match="Not looked at whole"):
            ended(work, clock)


def test_other_clocks_have_no_sweep(work):
    other = clocks.begin(work, gb(), "nca-question", about="d1", began_at=T0, by="ann").id
    for id_ in (other, "nobody"):
        with pytest.raises(InputError, match="no intimate image"):
            swept(work, id_, DOWN)


@pytest.mark.parametrize(("found", "was"), [(UP, "It showed the image."), (DARK, "It cannot be opened.")])
def test_what_is_not_named_again_stays_open_until_it_is_swept_or_answered_for(work, clock, found, was):
    other = Looked("c.mp4", (), 9)
    swept(work, clock, found, other)
    for hours in (2, 3):
        swept(work, clock, other, hours=hours)
        last = intimate.said(work, clock)
        assert [one["missed"] for one in last["recordings"]] == [[], [was, "It was not swept again."]]
        assert intimate.in_words(last).startswith("Swept 1 recording for 3 pictures. Not looked at whole")
        with pytest.raises(AccessDenied, match=f"Not looked at whole: {found.recording}"):
            ended(work, clock)
    now = T0 + timedelta(hours=4)
    intimate.except_(work, clock, found.recording, why="Taken down.", by="lee", now=now)
    swept(work, clock, other, hours=5)
    assert "Excepted with a reason: 1" in ended(work, clock).outcome


def test_what_was_clean_and_what_is_swept_at_last_do_not_keep_it_open(work, clock):
    swept(work, clock, UP, Looked("c.mp4", (), 9))
    swept(work, clock, Looked("d.mp4", (), 9), hours=2)
    swept(work, clock, DOWN, hours=3)
    assert ended(work, clock).outcome == "Swept 1 recording for 3 pictures. No copy is up."


def test_addresses_that_differ_in_what_is_secret_have_two_names_without_it():
    names = {app_intimate._name(f"https://me:word@host.example/watch?v={one}") for one in "121"}
    assert len(names) == 2
    assert all(one.startswith("https://host.example/watch#") and "v=" not in one for one in names)


def test_a_bad_result_is_not_hidden_by_what_was_written_while_the_sweep_ran(work, clock):
    """The sweep tells an earlier time than the exception that came meanwhile; it is the later paper all the same."""
    swept(work, clock, DARK)
    intimate.except_(work, clock, "b.mp4", why="It is off.", by="lee", now=T0 + timedelta(hours=3))
    late = swept(work, clock, DARK, UP, hours=2)
    again = swept(work, clock, DARK, UP, hours=1)
    assert (late.version, again.version) == (3, 4)
    assert [one.version for one in papers.versions(work, "sweep", clock)] == [4, 3, 2, 1]
    with pytest.raises(AccessDenied, match="still up in 1"):
        ended(work, clock)


def test_two_sweeps_at_once_take_turns(tmp_path, database):
    with store_in(tmp_path) as store:
        with store.begin() as work:
            clock = clocks.begin(work, gb(), clocks.SWEPT, about="c1", began_at=T0, by="ann").id

        def other():
            with store.begin() as work:
                swept(work, clock, UP, hours=2)

        beside = threading.Thread(target=other)
        with store.begin() as work:
            first = swept(work, clock, DARK)
            beside.start()
            beside.join(0.3)
        beside.join()
        with store.look() as work:
            last = papers.latest(work, "sweep", clock)
    assert (first.version, last.version, last.before) == (1, 2, first.id)


def test_a_sweep_is_dated_when_it_is_written_and_says_when_it_began(tmp_path, monkeypatch):
    times = iter([T0 + timedelta(hours=1), T0 + timedelta(hours=5)])
    monkeypatch.setattr(app_intimate, "utc_now", lambda: next(times))
    with store_in(tmp_path) as store, store.begin() as work:
        clock = clocks.begin(work, gb(), clocks.SWEPT, about="c1", began_at=T0, by="ann").id
    (tmp_path / "given.jpg").write_bytes(encoded(picture(0, 41, 320, 180)))
    recordings, pictures = [str(tmp_path / "none.mp4")], [tmp_path / "given.jpg"]
    paper = app_intimate.run_sweep(Deployment(tmp_path), clock, recordings, pictures, "ann")
    told = papers.body(paper)
    assert (told["began_at"], told["at"]) == tuple(
        (T0 + timedelta(hours=hours)).isoformat() for hours in (1, 5)
    )


def record(path, first, width=320, height=180):
    """Write a recording that shows another picture every second."""
    with open_sink(str(path), MediaInfo(width, height, 10.0, None, None, live=False, name="x")) as sink:
        for number in range(40):
            sink.write(picture(number / 10, first + number // 10, width, height))


def test_from_the_notice_to_the_end_in_the_shell(tmp_path, monkeypatch):
    """The case's stills are found in a smaller copy; it is taken down, swept again, and only then is it done."""
    monkeypatch.setenv("LIGHTSHIP_STATE", str(tmp_path / "state"))
    now = datetime.now(UTC)
    with store_in(tmp_path) as store, store.begin() as work:
        work.save(Stream("s1", "rtmp://x", "h", "public", "terms", "p", now),
                  Case("c1", "s1", "report", now, now, "", 0.0, "", 0.1, 0.1, 0.1))  # fmt: skip
    with vault_beside(Deployment(tmp_path)) as (store, vault):
        stills = [Still(float(n), encoded(picture(n, n, 320, 180))) for n in range(4)]
        evidence.keep(store, vault, stills, "c1", now)
    copy, other = tmp_path / "copy.mp4", tmp_path / "other.mp4"
    record(copy, 0, 240, 136)
    record(other, 40)
    (tmp_path / "flat.png").write_bytes(b"no picture")

    def run(*words, code=0):
        done = CliRunner().invoke(app, ["duties", "intimate", *map(str, words), "--folder", str(tmp_path)])
        found = done.exception.exit_code if isinstance(done.exception, LightshipError) else done.exit_code
        assert found == code, (done.output, done.exception)
        return done.output + str(done.exception or "")

    clock = run("notice", "c1", "--reference", "N-7").split()[0]
    assert "intimate-image about c1 (N-7), until" in run("show", clock)
    assert "Nothing was swept" in run("end", clock, code=12)
    said = run("sweep", clock, copy, other, code=16)
    assert f"{copy}: shows it, 0 to" in said
    assert f"{other}: no copy." in said
    assert "Copies are still up in 1" in run("end", clock, code=12)
    copy.unlink()
    assert "Not read whole" in run("sweep", clock, copy, other, code=16)
    run("except", clock, copy, "--why", "Taken down.", "--by", "lee")
    assert "No copy is up. Excepted with a reason: 1." in run("show", clock)
    assert "Ended, in time." in run("end", clock)
    assert "Ended" in run("show", clock)

    bare = run("notice", "somebody's report").split()[0]
    assert "None of 0 pictures can be matched" in run("sweep", bare, other, code=2)
    assert "None of 1 pictures" in run("sweep", bare, other, "--picture", tmp_path / "flat.png", code=2)
    assert "cannot be read" in run("sweep", bare, other, "--picture", tmp_path / "none.png", code=2)
    (tmp_path / "given.jpg").write_bytes(encoded(picture(0, 41, 320, 180)))
    two = ("--picture", tmp_path / "given.jpg", "--picture", tmp_path / "flat.png")
    said = run("sweep", bare, other, *two, code=16)
    assert "shows it" in said
    assert f"for 1 picture. Not looked for: {tmp_path / 'flat.png'} (it is no picture" in said
    assert "one name" in run("sweep", bare, other, other, "--picture", tmp_path / "given.jpg", code=2)
    assert "inner network" in run(
        "sweep", bare, "http://127.0.0.1/x", "--picture", tmp_path / "given.jpg", code=16
    )
    assert "An exception: It shows a statue." in run("end", bare, "--exception", "It shows a statue.")
