"""Labels: what the camera reads on paper opens the report with the place filled in, and proves an arrival."""

import io
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pypdfium2
import pytest
import zxingcpp
from django.test import Client

from jiying.core.errors import BadCode
from jiying.estates.models import Building, PlantRoom
from jiying.labels import sheets
from jiying.labels.sheets import LAYOUTS, labels_of, sheets_of
from jiying.orders.actions import act
from jiying.orders.models import Event
from jiying.orders.proof import place_code
from jiying.orders.tests import build
from jiying.orders.tests.build import report, walk

NAMES = ("2号楼", "10号楼", "东门 & 岗亭 <1>")


@pytest.fixture
def d(db):
    d = build.district()
    for name in NAMES:
        Building.objects.create(estate=d.estate, name=name)
    PlantRoom.objects.create(estate=d.estate, name="生活泵房", kind="pump")
    PlantRoom.objects.create(estate=d.estate, name="1号楼电梯机房", kind="lift", building=d.building)
    return d


def signed_in(d, who):
    client = Client()
    client.force_login(d.users[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def printed(pdf: bytes) -> list[str]:
    """The texts of all QR codes on all pages of a PDF file, as a scanner reads them."""
    found = []
    for page in pypdfium2.PdfDocument(io.BytesIO(pdf)):
        picture = page.render(scale=3).to_pil()
        found += [code.text for code in zxingcpp.read_barcodes(picture) if code.valid]
    return found


@pytest.mark.parametrize("size", sorted(LAYOUTS))
def test_every_code_on_the_paper_opens_the_report_with_its_place_filled_in(d, size):
    answer = signed_in(d, "company").get(f"/labels/{d.estate.pk}/sheet.pdf", {"size": size, "phone": "021-50123456"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf"), answer.text[:400]
    addresses = printed(answer.content)
    assert len(addresses) == len(set(addresses)) == 7
    stranger, filled = Client(), []
    for address in addresses:
        parts = urlsplit(address)
        assert parts.path == "/report"
        page = stranger.get(f"{parts.path}?{parts.query}").text
        assert f'name="estate" value="{d.estate.code}"' in page
        building = parse_qs(parts.query).get("building", [""])[0]
        escaped = building.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert not building or f"<option selected>{escaped}</option>" in page
        unit = parse_qs(parts.query).get("unit", [""])[0]
        assert f'name="unit" value="{unit}"' in page
        filled.append((building, unit))
    assert sorted(filled) == sorted(
        [("", ""), ("1号楼", ""), *((name, "") for name in NAMES), ("", "生活泵房"), ("1号楼", "1号楼电梯机房")]
    )


def test_what_is_on_the_wall_proves_an_arrival_typed_or_scanned(d):
    near = {"lon": d.estate.lon, "lat": d.estate.lat}
    for label in labels_of(d.estate, ("buildings", "rooms"), "https://jiying.example.org"):
        if label.place not in ("1号楼", "生活泵房", "1号楼电梯机房"):
            continue
        for said in (label.sign, label.sign_words, label.url):
            order = walk(d, report(d, building="1号楼"), "sign", "assign")
            act(order.pk, "arrive", by=d.actor("worker"), data={"code": said, "point": near})
            assert Event.objects.get(order=order, verb="arrive").data["proof"] == "B", (label.place, said)


def test_the_sign_of_another_buildings_room_proves_nothing(d):
    other = Building.objects.get(name="2号楼")
    room = PlantRoom.objects.create(estate=d.estate, name="2号楼泵房", building=other)
    order = walk(d, report(d, building="1号楼"), "sign", "assign")
    with pytest.raises(BadCode):
        act(order.pk, "arrive", by=d.actor("worker"), data={"code": place_code(room.pk)})


def test_a_worker_who_scans_a_sign_is_led_to_the_order_with_the_code_filled_in(d):
    order = walk(d, report(d, building="1号楼"), "sign", "assign")
    label = next(one for one in labels_of(d.estate, ("buildings",), "http://testserver") if one.place == "1号楼")
    worker = signed_in(d, "worker")
    page = worker.get(label.url).text
    assert f"/worker/orders/{order.pk}?do=arrive&amp;code={label.sign}" in page
    form = worker.get(f"/worker/orders/{order.pk}?do=arrive&code={label.sign}").text
    assert f'value="{label.sign}"' in form
    assert 'data-test="arriving"' not in Client().get(label.url).text


def test_buildings_stand_in_the_order_people_count_them(d):
    names = [label.place for label in labels_of(d.estate, ("buildings",), "")]
    assert names == ["1号楼", "2号楼", "10号楼", NAMES[2]]


def test_only_what_is_wanted_is_printed(d):
    page = signed_in(d, "manager").get(f"/labels/{d.estate.pk}", {"what": "rooms"}).text
    assert page.count('class="wall-sign"') == 2
    assert page.count("生活泵房") >= 1


@pytest.mark.parametrize("who", ["company", "manager", "committee", "town", "operator", "supervisor", "district"])
def test_those_who_answer_for_an_estate_find_it_and_no_other(d, who):
    page = signed_in(d, who).get("/labels").text
    assert "潍坊花园" in page
    if who in ("company", "manager", "committee", "town"):
        assert "三林花园" not in page
        assert signed_in(d, who).get(f"/labels/{d.estate2.pk}").status_code == 404


def test_an_estate_is_found_by_its_initials_and_a_miss_says_what_to_do(d):
    client = signed_in(d, "district")
    assert "潍坊花园" in client.get("/labels", {"q": "潍坊"}).text
    assert "没有找到这样的小区" in client.get("/labels", {"q": "不存在"}).text


def test_a_telephone_that_is_none_is_told_and_not_printed(d):
    for path in ("", "/sheet.pdf"):
        answer = signed_in(d, "company").get(f"/labels/{d.estate.pk}{path}", {"phone": "12"})
        assert answer.status_code == 422
        assert "电话号码不对" in answer.text
        assert 'value="12"' in answer.text


def test_without_the_system_libraries_the_page_to_print_remains_and_says_why(d):
    with mock.patch.dict("sys.modules", {"weasyprint": None}):
        answer = signed_in(d, "company").get(f"/labels/{d.estate.pk}/sheet.pdf")
    assert answer.status_code == 503
    assert "libpango" in answer.text
    assert answer.text.count('class="wall-sign"') == 7


def test_an_estate_without_buildings_still_has_its_own_sign(d):
    page = signed_in(d, "company-2").get(f"/labels/{d.estate2.pk}").text
    assert page.count('class="wall-sign"') == 1
    assert "没有可打印的标签" in signed_in(d, "company-2").get(f"/labels/{d.estate2.pk}", {"what": "rooms"}).text


def test_a_large_estate_comes_in_parts_and_every_building_is_in_one(d, monkeypatch):
    monkeypatch.setattr(sheets, "AT_ONCE", 4)
    monkeypatch.setattr("jiying.labels.views.AT_ONCE", 4)
    client = signed_in(d, "company")
    pages = [client.get(f"/labels/{d.estate.pk}", {"part": part}).text for part in (1, 2)]
    assert [page.count('class="wall-sign"') for page in pages] == [4, 3]
    assert "part=2" in pages[0]
    assert client.get(f"/labels/{d.estate.pk}", {"part": "99"}).text.count('class="wall-sign"') == 3
    assert client.get(f"/labels/{d.estate.pk}", {"part": "²"}).status_code == 200


def test_sheets_are_filled_one_after_the_other(d):
    labels = labels_of(d.estate, ("estate",), "") * 22
    assert [len(sheet) for sheet in sheets_of(labels, LAYOUTS["21"])] == [21, 1]
    assert [len(sheet) for sheet in sheets_of(labels, LAYOUTS["8"])] == [8, 8, 6]


def test_codes_that_open_on_this_machine_alone_are_warned_about(d):
    client = signed_in(d, "company")
    assert "只在这台电脑上打得开" in client.get(f"/labels/{d.estate.pk}", headers={"Host": "127.0.0.1:8030"}).text
    assert "只在这台电脑上打得开" not in client.get(f"/labels/{d.estate.pk}").text


def test_the_public_name_stands_in_the_codes_whatever_address_prints_them(d, settings):
    settings.PUBLIC_NAMES = ["jiying.example.org"]
    page = signed_in(d, "company").get(f"/labels/{d.estate.pk}").text
    assert "https://jiying.example.org" in page
