"""`/district/planning`: who may ask, what is asked, what comes of it, and that a study survives whoever ran it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jiying.district import asking
from jiying.exchange import jobs, studies
from jiying.orders.tests.build import District, district, report
from jiying.people.actions import join
from jiying.people.models import Organisation
from jiying.planning import actions
from jiying.planning.models import RunDay, Study

FORM = {"base": "company", "pool": "district", "demand": "1", "days": "5", "target": "", "compare": "1"}


@pytest.fixture
def lived(db) -> District:
    d = district()
    now = timezone.now()
    for back in (1, 2, 3):
        for hours in (0, 5, 9):
            report(d, now=now - timedelta(days=back, hours=hours), category="leak", urgency="emergency")
    return d


def client(d: District, role: str = "district") -> Client:
    found = Client()
    found.force_login(d.users[role], backend="django.contrib.auth.backends.ModelBackend")
    return found


@pytest.fixture
def here(monkeypatch):
    """Days run in this process: what is proved is the job, not the processes."""
    sweep = actions.Sweep
    monkeypatch.setattr(actions, "Sweep", lambda *args, apart, **more: sweep(*args, **more))
    monkeypatch.setattr(actions, "usual_processes", lambda: 1)


def test_a_question_is_answered_by_a_job_and_its_page_says_how_much(lived, here):
    officer = client(lived)
    asked = officer.post("/district/planning", FORM)
    assert asked.status_code == 302
    assert 'data-test="study-waiting"' in officer.get(asked.url).text
    assert jobs.work_off() == 0, "nobody's export waits for a study, nor the other way round"
    assert jobs.work_off(queue=jobs.SLOW) == 1
    page = officer.get(asked.url).text
    for mark in ("study-done", "headline-today", "headline-then", "difference", "sentence", "pools", "town-row"):
        assert f'data-test="{mark}"' in page
    study = Study.objects.get()
    assert study.answer["model"]["staff"] == 3 and not RunDay.objects.exists()
    assert officer.get("/district/planning").text.count('data-test="study-row"') == 1
    assert 'href="/district/planning"' in officer.get("/district").text
    assert 'href="/district/planning"' not in client(lived, "town").get("/district").text


def test_the_same_question_while_it_waits_is_one(lived):
    officer = client(lived)
    assert officer.post("/district/planning", FORM).url == officer.post("/district/planning", FORM).url
    assert Study.objects.count() == 1


def test_whoever_has_five_studies_under_way_waits_before_they_ask_for_a_sixth(lived):
    officer = client(lived)
    for days in asking.DAYS:
        assert officer.post("/district/planning", {**FORM, "days": days}).status_code == 302
    assert officer.post("/district/planning", {**FORM, "demand": "2"}).status_code == 302
    sixth = officer.post("/district/planning", {**FORM, "demand": "3"})
    assert sixth.status_code == 422 and "请等一项算完再问" in sixth.text
    assert officer.post("/district/planning", FORM).status_code == 302, "the same one again is one of the five"
    assert Study.objects.count() == 5


@pytest.mark.parametrize(
    "wrong",
    [{"days": "0"}, {"days": "10000"}, {"target": "101"}, {"demand": "-1"}, {"pool": "moon"},
     {"staff-water-0": "many"}, {"staff-water-0": "99999"}, {"town": "310115004"}],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_and_nothing_is_asked(lived, wrong):
    answer = client(lived).post("/district/planning", {**FORM, **wrong})
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert not Study.objects.exists()


def test_a_district_without_history_is_told_what_to_do(db, here):
    officer = client(d := district())
    asked = officer.post("/district/planning", FORM)
    jobs.work_off(queue=jobs.SLOW)
    assert "测算不了" in officer.get(asked.url).text
    assert Study.objects.get().problem == "no_orders" and d


def test_the_officer_of_another_district_and_other_roles_see_nothing(lived):
    asked = client(lived).post("/district/planning", FORM)
    assert client(lived, "district-2").get(asked.url).status_code == 404
    for role in ("town", "supervisor", "company", "resident"):
        assert client(lived, role).get(asked.url).status_code == 403


def test_an_officer_who_takes_calls_for_another_district_plans_only_for_their_own(lived):
    both = lived.users["district-2"]
    join(both, Organisation.objects.get(kind="centre", district="310115"), "operator")
    asked = client(lived).post("/district/planning", FORM)
    elsewhere = client(lived, "district-2")
    assert elsewhere.get(asked.url).status_code == 404
    assert 'data-test="study-row"' not in elsewhere.get("/district/planning").text
    elsewhere.post("/district/planning", FORM)
    assert Study.objects.get(by=both).district == "310115-elsewhere"


def test_a_study_that_was_broken_off_goes_on_where_it_was(lived, here):
    study = studies.begin("310115", _question(), by=lived.users["district"])

    class Killed(Exception):
        pass

    def until_three(done, _of):
        if done == 3:
            raise Killed

    with pytest.raises(Killed):
        actions.run(study.pk, until_three)
    assert RunDay.objects.filter(study=study).count() == 3
    told: list[int] = []
    actions.run(study.pk, lambda done, _of: told.append(done))
    assert told[0] == 3
    study.refresh_from_db()
    other = actions.ask("310115", _question(), by=lived.users["district"])
    actions.run(other.pk, lambda _done, _of: None)
    other.refresh_from_db()
    assert study.answer == other.answer


def test_a_study_that_nobody_is_at_any_more_says_so_and_can_be_taken_up(lived, here):
    officer = client(lived)
    asked = officer.post("/district/planning", FORM)
    jobs.DBTaskResult.objects.all().delete()
    assert 'data-test="again"' in officer.get(asked.url).text
    officer.post(f"{asked.url}/again")
    officer.post(f"{asked.url}/again")
    assert jobs.work_off(queue=jobs.SLOW) == 1
    assert 'data-test="study-done"' in officer.get(asked.url).text


def _question():
    from jiying.planning.changes import Change
    from jiying.planning.study import Question

    return Question(Change(demand=(("*", 2.0),)), Change(), days=3)
