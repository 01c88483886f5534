"""The words of the rule pack in force."""

from __future__ import annotations

from typing import Literal

from ninja import Schema

from jiying.api.schemas.common import Kind, Reference, RoleName, Urgency


class Category(Schema):
    """What a matter is about; `safety` is what to do first for life and limb."""

    code: str
    name: str
    kind: Kind
    default_urgency: Urgency
    part: Literal["common", "private"]
    safety: str | None


class Categories(Schema):
    """All categories."""

    items: list[Category]
    next: str | None


class VerbName(Reference):
    """A verb and the roles that may ever say it."""

    roles: list[RoleName]


class PackName(Schema):
    """The rule pack in force; `official` false: an example nobody has enacted."""

    name: str
    version: str
    official: bool
    label: str


class Catalogue(Schema):
    """What there is to report and to say."""

    kinds: list[Reference]
    categories: list[Category]
    verbs: list[VerbName]
    promises: list[Reference]
    pack: PackName
