"""`/inbox/settings`: how somebody wants to be told."""

from __future__ import annotations

import pytest

from jiying.notices.models import Wishes
from jiying.notices.wishes import wish_of
from jiying.orders.tests.build import district

FORM = {
    "phone": "138 1234 5678", "email": "m@example.org", "urgent": ["sms", "voice"], "ordinary": ["email", "voice"],
    "quiet_from": "21:30", "quiet_to": "06:15", "digest": "day", "language": "en",
}  # fmt: skip


@pytest.fixture
def manager(db, client):
    user = district().users["manager"]
    client.force_login(user)
    return user


def test_what_was_chosen_is_kept_and_shown_again(manager, client):
    assert client.post("/inbox/settings", FORM).status_code == 302
    wish = wish_of(manager)
    assert (wish.phone, wish.email, wish.urgent) == ("+8613812345678", "m@example.org", ("sms", "voice"))
    # Nobody is called for what is not urgent, whatever a form says.
    assert wish.ordinary == ("email",)
    assert (wish.quiet_from, wish.quiet_to, wish.digest, wish.language) == (21 * 60 + 30, 6 * 60 + 15, "day", "en")
    page = client.get("/inbox/settings").text
    assert 'value="138 1234 5678"' in page and 'value="21:30"' in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("phone", "12", "电话号码不对"),
        ("email", "nobody", "电子邮箱不对"),
        ("quiet_from", "25:00", "页面不完整"),
        ("quiet_to", "07:77", "页面不完整"),
        ("quiet_to", "", "页面不完整"),
        ("digest", "never", "页面不完整"),
        ("language", "fr", "页面不完整"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_a_sentence_and_nothing_is_written(manager, client, field, value, said):
    answer = client.post("/inbox/settings", {**FORM, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert not Wishes.objects.exists()


def test_a_channel_that_is_not_connected_says_so(manager, client):
    assert "未接通" in client.get("/inbox/settings").text
