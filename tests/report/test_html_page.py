"""The report's page in a real browser: it reads, it filters, it fetches nothing, and nothing in it can be injected."""

import re
from pathlib import Path

import pytest
import report_samples as samples
from browser import Browser

from hardenctl.model.blob import Gap
from hardenctl.model.finding import FrameLine
from hardenctl.model.report import Report
from hardenctl.report.formats import render
from hardenctl.report.style import Look

_MARKUP = "<img src=x onerror=alert(1)></script><script>alert(1)</script>"


def write(folder: Path, report: Report) -> Path:
    """The page of a report, as a file."""
    path = folder / "report.html"
    path.write_text(render(report, "html", Look()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_in_a_browser(*, dark: bool, tmp_path: Path, browser: Browser) -> None:
    """Nothing is complained of, nothing is asked of any network, and all that counts is to be seen."""
    page = write(tmp_path, samples.everything())
    browser.open(page, dark=dark)
    assert (browser.errors, browser.requests) == ([], [page.resolve().as_uri()])
    text = browser.ask("document.body.innerText")
    for words in ("fail", "7.4 / 10", "cors-any-origin-credentials", "app/broken.py: not valid Python", "42 files"):
        assert words in text
    assert "legacy.py" not in text  # set aside by policy until it is asked for
    assert browser.ask("getComputedStyle(document.querySelector('mark')).backgroundColor") != "rgba(0, 0, 0, 0)"


def visible_places(browser: Browser) -> list[str]:
    """The places of the findings that are shown."""
    places: list[str] = browser.ask(
        "[...document.querySelectorAll('article')].filter(e => e.offsetParent).map("
        "e => e.querySelector('.place').firstChild.textContent.trim())"
    )
    return places


def test_filters(tmp_path: Path, browser: Browser) -> None:
    """By severity, by status and by words; a rule without a finding left is hidden with its heading."""
    browser.open(write(tmp_path, samples.everything()))
    assert len(visible_places(browser)) == 10
    browser.ask("document.querySelector('[value=high]').click()")
    assert visible_places(browser) == [
        "app/main.py:31:1",
        "docker-compose.prod.yml:12:9",
        "docker-compose.prod.yml:4:14",
    ]
    assert browser.ask("getComputedStyle(document.getElementById('secret-generic-assignment')).display") == "none"
    assert browser.ask("document.getElementById('shown').textContent") == "3 of 12 findings shown"
    browser.ask("document.querySelector('[value=high]').click(); document.querySelector('[name=aside]').click()")
    assert {"legacy.py:2:14", "tests/fixtures.py:2:14"} <= set(visible_places(browser))
    browser.ask(
        "(() => {const e = document.querySelector('[name=words]'); e.value = 'Compose PORT';"
        "e.dispatchEvent(new Event('input', {bubbles: true}))})()"
    )
    assert visible_places(browser) == ["docker-compose.prod.yml:12:9"]


def test_nothing_is_markup(tmp_path: Path, browser: Browser) -> None:
    """Paths, messages, code, gaps, notes and reasons are text, whatever is in them."""
    hostile = samples.finding(
        path=_MARKUP,
        message=f"{_MARKUP} `{_MARKUP}`",
        rule="secret-generic-assignment",
        frame=(FrameLine(1, _MARKUP, (1, 20)),),
        evidence={_MARKUP: _MARKUP},
        services=(_MARKUP,),
    )
    page = write(tmp_path, samples.report(samples.judged(hostile), gaps=(Gap(_MARKUP, _MARKUP),), notes=(_MARKUP,)))
    browser.open(page)
    assert browser.ask("document.images.length + document.scripts.length") == 1
    assert browser.errors == []
    assert browser.ask("document.body.innerText").count("onerror=alert(1)") >= 7


def test_a_narrow_screen(tmp_path: Path, browser: Browser) -> None:
    """On a telephone nothing is wider than the screen; long code scrolls on its own."""
    browser.open(write(tmp_path, samples.hostile()), width=390)
    assert browser.ask("document.documentElement.scrollWidth <= 390")


def test_without_its_script_every_open_finding_is_there() -> None:
    """The page's filters only hide: what is in the report is in the page."""
    text = render(samples.everything(), "html", Look())
    assert text.count("<article") == len(samples.everything().findings)
    assert '<form id="filters" hidden>' in text


def test_a_long_line_is_cut_around_what_is_marked() -> None:
    """A minified file doesn't become the page."""
    line = FrameLine(1, "a" * 50_000 + "MARK" + "b" * 50_000, (50_000, 50_004))
    text = render(samples.report(samples.judged(samples.finding(frame=(line,)))), "html", Look())
    assert len(text) < 30_000
    assert re.search(r"…a+<mark>MARK</mark>b+…", text)
