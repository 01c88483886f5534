"""Bearer tokens: shown once, kept as a hash, ending."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from jiying.core.errors import BadInput
from jiying.people.actions import issue_token
from jiying.people.commands import token
from jiying.people.models import Token, User
from jiying.people.queries import user_of_token


@pytest.fixture
def user(db):
    return User.objects.create(username="somebody", name="某人")


def test_a_token_names_its_user_and_is_not_stored(user):
    secret, _ends = issue_token(user)
    assert user_of_token(secret) == user
    assert user_of_token(secret + "x") is None
    assert user_of_token("") is None
    assert secret not in Token.objects.get().digest


def test_a_token_ends(user):
    secret, _ends = issue_token(user, days=1)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert user_of_token(secret) is None


def test_the_token_of_somebody_locked_out_opens_nothing(user):
    secret, _ends = issue_token(user)
    User.objects.update(is_active=False)
    assert user_of_token(secret) is None


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_token_lives_between_a_day_and_ten_years(user, days):
    with pytest.raises(BadInput):
        issue_token(user, days=days)


def test_the_command_prints_the_token_alone_or_as_json(user):
    plain = CliRunner().invoke(token, ["somebody"])
    assert plain.exit_code == 0
    assert user_of_token(plain.stdout.strip()) == user
    told = json.loads(CliRunner().invoke(token, ["somebody", "--days", "2", "--json"]).stdout)
    assert sorted(told) == ["expires_at", "token"]
    assert user_of_token(told["token"]) == user


def test_wrong_use_of_the_command_leaves_with_2_and_writes_nothing(user):
    for arguments in (["nobody"], ["somebody", "--days", "0"], ["somebody", "--days", "many"], []):
        done = CliRunner().invoke(token, arguments)
        assert (done.exit_code, done.stdout) == (2, "")
    assert Token.objects.count() == 0
