"""Made-up things in every state, for the style guide."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from jiying.pages import verbforms, words


def _clock(
    now: datetime, state: str, began: float, limit: float, reached: float | None = None, promise: str = "respond_30"
) -> dict[str, Any]:
    """A clock that began so many minutes ago; `reached` minutes after it began."""
    start = now - timedelta(minutes=began)
    return {
        "promise": promise,
        "round": 1,
        "state": state,
        "from_at": start,
        "due_at": start + timedelta(minutes=limit),
        "reached_at": None if reached is None else start + timedelta(minutes=reached),
        "limit_minutes": limit,
    }


def clocks(now: datetime) -> list[dict[str, Any]]:
    """One clock in each of its phases."""
    return [
        _clock(now, "running", 6, 30),
        _clock(now, "running", 23.5, 30),
        _clock(now, "running", 38, 30),
        _clock(now, "paused", 200, 4320, promise="complete"),
        _clock(now, "met", 60, 30, reached=22),
        _clock(now, "missed", 90, 30, reached=41),
        _clock(now, "void", 20, 30),
        _clock(now, "running", 300, 4320, promise="complete"),
        _clock(now, "running", 300, 500, promise="follow_up"),
    ]


def orders(now: datetime) -> list[dict[str, Any]]:
    """A queue with a bit of everything."""
    rows = [
        (
            "leak",
            "emergency",
            "en_route",
            "东园新村",
            "12 号楼",
            "402 室",
            "厨房水管爆裂，水漫到客厅，楼下在滴水",
            "phone",
        ),
        ("lift", "emergency", "submitted", "滨江名邸", "3 号楼", "", "电梯停在七楼和八楼之间，里面有两个人", "page"),
        ("power", "emergency", "assigned", "塘桥三村", "27 号", "", "整个门洞没有电", "hotline"),
        ("water_pipe", "ordinary", "paused", "花木苑", "8 号楼", "1101 室", "阀门关不紧，等配件", "counter"),
        ("door_lock", "ordinary", "done", "金桥花园", "1 号楼", "203 室", "门锁打不开", "page"),
        ("environment", "ordinary", "signed", "洋泾一村", "", "", "垃圾房门口堆满纸箱", "inspection"),
        (
            "complaint",
            "ordinary",
            "returned",
            "三林安居苑",
            "5 号楼",
            "601 室",
            "<b>装修</b>噪声 😀 晚上十点还在打孔",
            "page",
        ),
    ]
    samples = clocks(now)
    return [
        {
            "id": number,
            "number": f"PD2611240000{number}",
            "kind": "repair",
            "category": category,
            "urgency": urgency,
            "state": state,
            "version": 3,
            "estate": estate,
            "building": building,
            "unit": unit,
            "address": "",
            "town": "花木街道",
            "lon": 121.551,
            "lat": 31.212,
            "company": "明园物业",
            "worker": "王师傅" if state in ("en_route", "assigned", "done") else None,
            "channel": channel,
            "description": said,
            "reported_at": now - timedelta(minutes=12),
            "clock": samples[number % len(samples)],
        }
        for number, (category, urgency, state, estate, building, unit, said, channel) in enumerate(rows)
    ]


def events(now: datetime) -> list[dict[str, Any]]:
    """A life with its ordinary and its awkward moments."""
    rows: list[tuple[float, str, str | None, str, str, dict[str, Any]]] = [
        (95, "report", "reported", "resident", "", {}),
        (92, "sign", "signed", "company", "李敏", {}),
        (91, "assign", "assigned", "company", "李敏", {"worker_name": "王师傅"}),
        (75, "warn", None, "rule", "", {"promise": "respond_30"}),
        (66, "wrong_code", None, "worker", "王师傅", {}),
        (65, "breach", None, "rule", "", {"promise": "respond_30"}),
        (65, "escalate", None, "rule", "", {"promise": "respond_30", "tells": ["town", "centre"]}),
        (54, "arrive", "arrived", "worker", "王师傅", {"proof": "A", "distance_m": 14}),
        (30, "pause", None, "worker", "王师傅", {"reason_text": "等配件，明天上午到货"}),
        (20, "done", "done", "worker", "王师傅", {"note": "换了角阀，试水十分钟不漏。"}),
        (3, "confirm", "verified", "resident", "", {"solved": True}),
    ]
    return [
        {
            "verb": verb,
            "milestone": milestone,
            "role": role,
            "who": who,
            "at": now - timedelta(minutes=minutes),
            "claimed": verb == "done",
            "data": data,
        }
        for minutes, verb, milestone, role, who, data in rows
    ]


def figures() -> list[dict[str, Any]]:
    """The three of the district page, and one of nothing."""
    left_out = {"returned": 0.021, "refused": 0.004, "cancelled": 0.032, "merged": None, "downgraded": 0.006}
    pack = _("示例规则包 2026.1（非官方）")
    return [
        {"name": "satisfaction", "label": _("满意度"), "value": 93.4, "unit": "%", "change": 1.8, "better": "up",
         "history": [90, 91.2, 90.8, 92, 91.9, 93.4], "formula": _("（满意 + 0.9 × 基本满意）÷ 有效回访"),
         "numerator": 1187, "denominator": 1271, "n": 1271, "low": 0.919, "high": 0.946, "pack": pack},
        {"name": "responsiveness", "label": _("响应度"), "value": 87.9, "unit": "%", "change": 4.2, "better": "up",
         "history": [80, 82, 81, 85, 86.5, 87.9], "formula": _("按时到场 ÷ 到期的到场时限"), "numerator": 811,
         "denominator": 923, "pack": pack, "left_out": left_out},
        {"name": "complaints", "label": _("投诉"), "value": 214, "unit": _("件"), "change": 12, "better": "down",
         "history": [180, 195, 201, 190, 202, 214], "formula": _("期内投诉件数"), "pack": pack},
        {"name": "nothing", "label": _("返工率"), "value": None, "unit": "%", "formula": _("返修 ÷ 完工"),
         "numerator": 0, "denominator": 0, "pack": pack},
    ]  # fmt: skip


SIGNS = (
    "water_pipe leak drain power lift door_lock access_control fire_safety public_facility environment complaint other"
)
CONTROLS = "search more close phone pin inbox person type info alert camera check list"


def context() -> dict[str, Any]:
    """All of it, as the style guide's template wants it."""
    now = timezone.now()
    queue = orders(now)
    return {
        "clocks": clocks(now),
        "orders": queue,
        "order": queue[0],
        "events": events(now),
        "figures": figures(),
        "people": [
            {"name": "王师傅", "organisation": "明园物业", "role": "worker", "phone": "138****5678"},
            {"name": "李**", "organisation": "", "role": "resident", "phone": "021-****1234"},
        ],
        "signs": SIGNS.split(),
        "controls": CONTROLS.split(),
        "verb_sets": [
            (state, [verb for verb in verbs if verb in words.VERBS])
            for state, verbs in (
                ("submitted", ["sign", "return", "refuse", "urge", "note"]),
                ("assigned", ["depart", "arrive", "contact", "pause", "note"]),
                ("on_site", ["done", "make_safe", "pause", "note"]),
                ("done", ["confirm", "reopen", "rate", "note"]),
            )
        ],
        "choices": {
            "worker": [("1", "王师傅"), ("2", "赵师傅")],
            "reason": [("waiting_parts", _("等配件")), ("weather", _("天气"))],
        },
        "tables": [
            (name, [str(text) for text in table.values()])
            for name, table in words.TABLES.items()
            if name not in ("verb", "resident_state")
        ],
        "verbs_with_fields": len(verbforms.FIELDS),
        "error": {"detail": _("没有发出去"), "errors": []},
    }
