"""The page of a leaderboard in a browser: Debian's Chromium, without a screen."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import chromium
import pytest
from chromium import Page
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from support import near_only, put, record

from harness.config.schema import Run
from harness.page import writing
from harness.results import collection

Compose = Callable[..., Run]
HURT = '"><img src=x onerror="document.title=1"></script><script>document.title=1</script>'

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not chromium.INSTALLED,
        reason="Chromium is not installed: apt-get install chromium chromium-driver",
    ),
]


@pytest.fixture(scope="module")
def address(composed: Compose, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of two tasks and three methods, some with two seeds; one run failed, and names hold markup."""
    folder = tmp_path_factory.mktemp("page") / "<b>bold</b>&amp;"

    def run(*words: str, exact: Callable[[int], int] = near_only, **changes: Any) -> None:
        put(record(composed(*words), exact, **changes), folder)

    run("encoding=rope", provenance={"device": HURT, "harness": "0.1.0"})
    run("encoding=rope", "seed=1", exact=lambda n: 10 if n <= 50 else 1)
    run("encoding=alibi", exact=lambda n: 10 if n <= 40 else 0)
    run("encoding=nope", exact=lambda n: 5)
    failed = {"status": "failed", "reason": HURT, "scores": [], "final_loss": None, "cost": None}
    run("encoding=nope", "seed=1", exact=lambda n: 5, **failed)
    run("task=reverse", "encoding=rope", "train.steps=50", exact=lambda n: 10)
    found, rejected = collection.read([folder])
    assert not rejected
    writing.write(found, [folder], folder / "page.html")
    return (folder / "page.html").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    driver = chromium.start()
    yield driver
    driver.quit()


EVERY_COLUMN = """
return [...document.querySelectorAll('thead button')].map((_, place) => {
  const head = () => document.querySelectorAll('thead button')[place];
  const sorts = [0, 1].map(() => { head().click(); return head().parentElement.ariaSort; });
  const marked = document.querySelectorAll('[aria-sort=ascending], [aria-sort=descending]').length;
  return {name: head().textContent, sorts, marked, focused: document.activeElement === head()};
});
"""
"""Sorts by each column twice."""


@pytest.fixture
def page(browser: Chrome, address: str) -> Page:
    return Page(browser, address)


def test_every_column_sorts_both_ways_and_says_so(page: Page) -> None:
    page.one("#tab-table").click()
    page.one("#baselines").click()
    sorts = page.driver.execute_script(EVERY_COLUMN)
    assert len(sorts) > 15
    for column in sorts:
        assert column["focused"], column
        assert set(column["sorts"]) == {"ascending", "descending"}, column
        assert column["marked"] == 1, column
    page.one("[data-sort='3']").click()
    scores = [float(text) for text in page.column(4)]
    assert scores == sorted(scores, reverse=True)
    page.one("[data-sort='3']").click()
    assert [float(text) for text in page.column(4)] == sorted(scores)
    page.one("[data-sort='1']").click()
    assert page.column(2) == ["alibi", "nope", "rope", "rope"]


def test_text_and_axes_filter_all_views(page: Page) -> None:
    assert len(page.texts("td[data-cell]")) == 4
    page.one("#text").send_keys("copy ROPE")
    assert page.texts("tbody th button") == ["copy"]
    assert page.texts("#count") == ["1 of 4 cells"]
    page.one("#tab-runs").click()
    assert page.column(3) == ["0", "1"]
    page.one("#clear").click()
    assert len(page.column(3)) == 6
    page.one("[data-filter=encoding] summary").click()
    page.one("[data-filter=encoding] input[value=alibi]").click()
    page.one("[data-filter=encoding] input[value=nope]").click()
    assert sorted(page.column(2)) == ["alibi", "nope", "nope"]
    page.one("[data-filter=encoding] input[value=nope]").click()
    assert page.texts("[data-filter=encoding] summary") == ["encoding: alibi"]
    page.press(Keys.ESCAPE)
    assert page.one("[data-filter=encoding]").get_attribute("open") is None
    page.one("#text").send_keys("nothing like it")
    assert "Nothing passes" in page.one("#view").text


def test_a_click_shows_the_curve_with_training_length_blind_line_and_interval(page: Page) -> None:
    page.one("td[data-cell]").click()
    assert page.one("dialog").is_displayed()
    assert page.one("#details-title").text == "alibi on copy"
    assert page.texts(".training-label") == ["trained up to 20"]
    for line in ("path.mean[data-method=alibi]", "path.guess", "line.training", "path.band"):
        assert len(page.driver.find_elements(By.CSS_SELECTOR, f"#chart {line}")) == 1
    assert "Wilson" in page.one("#intervals").text
    assert "alibi on copy" in page.one("#chart svg").get_attribute("aria-label")
    page.one("#numbers summary").click()
    assert page.texts("#numbers tbody tr:first-child td")[-2:] == ["10/10", ".000"]
    page.one("#others").find_element(By.XPATH, "..").find_element(By.TAG_NAME, "summary").click()
    page.one("#others input").click()
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#chart path.mean")) == 2


def test_the_interval_over_two_seeds_is_students(page: Page) -> None:
    page.one("#text").send_keys("copy rope")
    page.one("td[data-cell]").click()
    assert "t interval over 2 seeds" in page.one("#intervals").text
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#chart path.seed")) == 2
    page.one("#numbers summary").click()
    rows = [row.split() for row in page.texts("#numbers tbody tr")]
    [at_60] = [row for row in rows if row[0] == "60"]
    assert at_60[1:6] == [".050", ".000", ".685", "0/10", "1/10"], "the mean .05, 12.7 times the error .05 around it"


def test_all_of_it_works_from_the_keyboard(page: Page) -> None:
    page.press(Keys.TAB)
    assert page.focused() == "Skip to the results"
    page.one("#measure").send_keys(Keys.TAB)
    assert page.driver.execute_script("return document.activeElement.dataset.cell") is not None, (
        "the map is the next stop"
    )
    assert page.driver.execute_script("return document.querySelectorAll('.heat [tabindex=\"0\"]').length") == 1
    page.press(Keys.ARROW_RIGHT)
    page.press(Keys.ARROW_RIGHT)
    width = page.driver.execute_script("return getComputedStyle(document.activeElement).outlineWidth")
    assert width == "3px", "where the focus is can be seen"
    page.press(Keys.ENTER)
    assert page.one("#details-title").text == "rope on copy"
    page.one("#chart").send_keys(Keys.END)
    assert page.one("#readout").text.startswith("Length 100: rope .050")
    page.press(Keys.ARROW_LEFT)
    assert page.one("#readout").text.startswith("Length 95: ")
    page.press(Keys.ESCAPE)
    assert not page.one("dialog").is_displayed()
    cell = page.driver.execute_script("return document.activeElement.dataset.cell")
    assert cell is not None, "the focus is back on the cell"
    page.one("#tab-heat").send_keys(Keys.ARROW_RIGHT)
    assert page.driver.execute_script("return document.activeElement.id") == "tab-table"
    assert page.one("#tab-table").get_attribute("aria-selected") == "true"


def test_a_command_and_a_config_are_copied(page: Page) -> None:
    page.one("#text").send_keys("copy alibi")
    page.one("td[data-cell]").click()
    said = page.one("details.run pre").text
    assert said == "python -m harness task=copy encoding=alibi seed=0"
    page.one("[aria-label='Copy the command']").click()
    page.driver.execute_async_script(
        "const done = arguments[0]; const place = document.getElementById('spoken');"
        "const look = () => place.textContent.includes('copied') ? done() : setTimeout(look, 10); look();"
    )
    page.one("#close").click()
    page.one("#clear").click()
    page.one("#text").send_keys(Keys.CONTROL, "v")
    assert page.one("#text").get_attribute("value") == said


def test_dark_by_the_systems_wish_and_by_the_switch_which_is_kept(browser: Chrome, address: str) -> None:
    page = Page(browser, address)
    light = page.ground()
    assert light == "rgba(255, 255, 255, 1)"
    page.one("#theme input[value=dark]").click()
    dark = page.ground()
    assert dark != light
    page.driver.refresh()
    assert page.ground() == dark
    page.one("#theme input[value=auto]").click()
    assert page.ground() == light
    page = Page(browser, address, dark=True)
    assert page.ground() == dark
    page.one("#theme input[value=light]").click()
    assert page.ground() == light


def test_markup_in_records_and_names_is_shown_as_text(page: Page) -> None:
    page.one("#text").send_keys("copy rope")
    page.one("td[data-cell]").click()
    details = page.one("dialog").text
    assert HURT in details
    assert "<b>bold</b>&amp;/records/copy-rope-seed0-" in details
    page.one("#close").click()
    page.one("#text").clear()
    page.one("#text").send_keys("copy nope")
    page.one("td.weak[data-cell]").click()
    page.one("details.run:last-of-type summary").click()
    assert page.one("details.run:last-of-type").text.count(HURT) == 1, "the reason of a run that failed"
    page.one("#close").click()
    page.one("#tab-about").click()
    assert "<b>bold</b>&amp;" in page.one("#view").text
    assert page.driver.execute_script("return document.querySelectorAll('img, b, iframe, object').length") == 0
    assert page.driver.title.startswith("Length generalization: ")
    assert len(page.driver.find_elements(By.TAG_NAME, "script")) == 2


def test_nothing_is_requested_and_nothing_complained_of(page: Page) -> None:
    for tab in ("table", "runs", "cautions", "about", "heat"):
        page.one(f"#tab-{tab}").click()
    page.one("td[data-cell]").click()
    page.one("details.run details summary").click()
    assert '"encoding": {' in page.one("details.run details pre").text
    assert page.driver.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert [url for url in sent if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in sent if url.startswith("file:")]) == 1, "the page itself"
    refused = page.driver.execute_async_script(
        "const done = arguments[0]; fetch('data:,x').then(() => done(false), () => done(true))"
    )
    assert refused, "the policy holds"


def test_a_phone_shows_all_in_its_width(browser: Chrome, address: str) -> None:
    page = Page(browser, address, width=360)
    for tab in ("heat", "table", "runs", "cautions", "about"):
        page.one(f"#tab-{tab}").click()
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 360, tab
    page.one("#tab-heat").click()
    page.one("td[data-cell]").click()
    assert page.driver.execute_script("return document.querySelector('dialog').scrollWidth") <= 360
    assert page.one("#chart svg").size["width"] >= 280


def test_tables_are_named_and_their_heads_have_a_scope(page: Page) -> None:
    page.one("td[data-cell]").click()
    page.one("#numbers summary").click()
    for tab in (None, "table", "runs"):
        if tab:
            page.driver.execute_script("document.querySelector('dialog').close()")
            page.one(f"#tab-{tab}").click()
        assert page.driver.execute_script(
            "return [...document.querySelectorAll('table')].every((table) => table.caption.textContent"
            " && [...table.querySelectorAll('th')].every((head) => head.scope))"
        )
    unnamed = page.driver.execute_script(
        "return [...document.querySelectorAll('button, input, select, [role=region]')].filter((one) =>"
        " !(one.textContent.trim() || one.ariaLabel || one.labels?.length)).length"
    )
    assert unnamed == 0


def test_the_address_of_a_cell_opens_it(browser: Chrome, address: str) -> None:
    page = Page(browser, address)
    page.one("td[data-cell]").click()
    linked = page.driver.current_url
    assert "#" in linked
    assert Page(browser, linked).one("#details-title").text == "alibi on copy"
