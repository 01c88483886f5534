"""Answers that are not problems."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.http import HttpResponse

from jiying.orders import queries
from jiying.orders.actors import Actor
from jiying.orders.models import Order
from jiying.orders.wire import order_json


def json_answer(value: Any, *, status: int = 200) -> HttpResponse:
    """`value` as UTF-8 JSON; Chinese stays readable."""
    return HttpResponse(json.dumps(value, ensure_ascii=False), status=status, content_type="application/json")


def order_answer(order_id: uuid.UUID, by: Actor) -> HttpResponse:
    """An order right after `by` acted on it, also when the act took it out of their sight."""
    order = Order.objects.with_names().get(pk=order_id)
    return json_answer(order_json(queries.rows_of([order], by)[0]))
