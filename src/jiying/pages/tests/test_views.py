"""The front page, sign-in, switches and friendly errors."""

from __future__ import annotations

import pytest
from django.test import Client

from jiying.pages.doors import home_of
from jiying.people.models import Membership, Organisation, User

pytestmark = [pytest.mark.django_db, pytest.mark.urls("jiying.pages.urls")]
TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO = True


@pytest.fixture
def operator() -> User:
    user = User.objects.create_user("demo-operator", name="陈晓")
    centre = Organisation.objects.create(kind="centre", code="c", name="指挥中心", district="310115")
    Membership.objects.create(user=user, organisation=centre, role="operator")
    return user


def test_a_stranger_finds_the_way_to_report_and_to_sign_in(client):
    page = client.get("/").content.decode()
    assert 'href="/report"' in page
    assert 'href="/sign-in"' in page


def test_somebody_signed_in_goes_to_their_own_place(client, operator):
    client.force_login(operator)
    assert client.get("/")["Location"] == "/centre"


@pytest.mark.parametrize(
    ("role", "place"),
    [("worker", "/worker"), ("company", "/desk"), ("manager", "/desk"), ("committee", "/desk"), ("town", "/desk"),
     ("operator", "/centre"), ("supervisor", "/centre"), ("district", "/district"), ("resident", "/report")],
)  # fmt: skip
def test_each_role_has_its_place(role, place):
    assert home_of({"resident", role}) == place


@pytest.mark.parametrize("pasted", [f"https://a.example/t/{TOKEN}", TOKEN, f" {TOKEN} "])
def test_a_saved_link_leads_to_its_order(client, pasted):
    assert client.get("/", {"track": pasted})["Location"] == f"/t/{TOKEN}"


@pytest.mark.parametrize("pasted", ["今天的报修", "https://a.example/t/../admin", "//evil.example/", "<script>"])
def test_a_link_that_is_none_is_said_so_and_leads_nowhere(client, pasted):
    answer = client.get("/", {"track": pasted})
    assert answer.status_code == 200
    assert "这个链接看不懂" in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_one_click_signs_a_demo_user_in(client, operator):
    answer = client.post("/demo/sign-in", {"username": "demo-operator"})
    assert answer["Location"] == "/centre"
    assert client.session["_auth_user_id"] == str(operator.id)


@pytest.mark.parametrize(("username", "status"), [("", 400), ("demo-nobody", 404), ("boss", 404)])
def test_one_click_opens_no_other_account(client, username, status):
    User.objects.create_user("boss")
    assert client.post("/demo/sign-in", {"username": username}).status_code == status
    assert "_auth_user_id" not in client.session


def test_one_click_is_refused_outside_a_demo(client, operator, settings):
    settings.DEMO = False
    assert client.post("/demo/sign-in", {"username": "demo-operator"}).status_code == 404
    assert "demo-operator" not in client.get("/sign-in").content.decode()
    assert client.get("/styleguide").status_code == 404


def test_one_click_wants_the_forms_token(operator):
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post("/demo/sign-in", {"username": "demo-operator"})
    assert answer.status_code == 403
    assert "什么也没有改变" in answer.content.decode()


def test_signing_out_ends_the_session_and_only_by_post(client, operator):
    client.force_login(operator)
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_keeps_the_name_and_says_so(client):
    page = client.post("/sign-in", {"login": "zhang<b>", "password": "wrong"}).content.decode()
    assert "zhang&lt;b&gt;" in page
    assert 'role="alert"' in page


def test_every_page_of_a_demo_says_so(client):
    assert "演示数据 · <span" in client.get("/").content.decode()


def test_a_lost_page_is_friendly_in_both_languages(client):
    assert "没有这一页" in client.get("/nowhere").content.decode()
    answer = client.get("/nowhere?lang=en")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


@pytest.mark.parametrize("query", ["", "?lang=en", "?type=large", "?theme=dark"])
def test_the_style_guide_shows_every_component(client, query):
    assert client.get(f"/styleguide{query}").status_code == 200


def test_no_page_has_inline_scripts_or_styles(client):
    for address in ("/", "/sign-in", "/styleguide"):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page
