"""Size and speed of the page of a leaderboard, written from many records and used in Chromium.

    python benchmarks/page.py 720 5000
    python benchmarks/page.py --seeds 1 5000

The records are made from those in results/core_candidates, with all their tested lengths: other encodings, seeds and,
where these do not suffice, learning rates; scores drawn anew. 720 are 12 tasks, 20 encodings and 3 seeds. Printed are
the time until the page is written, with records that were read before; its size; and how long Chromium's main thread
works until the page is there, sorted and filtered, styles and layout included: the median and the longest of several
times, as CPU time of that thread, which other work on the machine hardly changes. Needs selenium and Debian's
chromium and chromium-driver. ``--folder`` keeps the records and pages.
"""

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from harness.composition.compose import composer
from harness.config import catalogue, identity
from harness.files import sealed_json
from harness.page import writing
from harness.results import collection

PUBLISHED = Path(__file__).resolve().parents[1] / "results" / "core_candidates" / "records"
ENCODINGS, TIMES = 20, 9
DRAWN = """
const done = arguments[arguments.length - 1];
(0, eval)(arguments[0]);
document.body.getBoundingClientRect();
requestAnimationFrame(() => setTimeout(done));
"""
"""Runs a script in the page, and waits until the browser has drawn what follows from it."""
ACTIONS = {
    "heat map": ("document.getElementById('tab-heat').click()", "document.getElementById('tab-about').click()"),
    "heat map filtered": ("{search}('rope')", "{search}('')"),
    "heat map, filter taken away": ("{search}('')", "{search}('zzz')"),
    "heat map sorted": ("document.querySelector('thead [data-method]').click()", ""),
    "table": ("document.getElementById('tab-table').click()", "document.getElementById('tab-about').click()"),
    "table sorted": ("document.querySelector('th:nth-child(4) button').click()", ""),
    "table filtered": ("{search}('rope')", "{search}('')"),
    "runs": ("document.getElementById('tab-runs').click()", "document.getElementById('tab-about').click()"),
    "runs sorted": ("document.querySelector('th:nth-child(4) button').click()", ""),
    "runs filtered": ("{search}('rope')", "{search}('')"),
}
"""What is measured, and what is done before each time."""
SEARCH = (
    "((text) => { const box = document.getElementById('text'); box.value = text;"
    " box.dispatchEvent(new Event('input')); })"
)


def encodings() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Of each encoding what a config and what a science says of it."""
    found = []
    with composer() as hydra:
        for name in catalogue.names()["encoding"][:ENCODINGS]:
            component = hydra.run([f"encoding={name}"], check=lambda run: run).encoding
            science = {"name": name, "options": identity.changed(component)}
            found.append((component.model_dump(mode="json"), science))
    return found


def records(seeds: int) -> Iterator[dict[str, Any]]:
    """As many different records as anybody takes."""
    models = [json.loads(path.read_text()) for path in sorted(PUBLISHED.glob("*-alibi-seed0-*.json"))]
    known, variant = encodings(), 0
    while True:
        for model in models:
            for number, (component, science) in enumerate(known):
                for seed in range(seeds):
                    record = copy.deepcopy(model)
                    training = record["science"]["training"]
                    record["config"]["encoding"], training["encoding"] = component, science
                    record["seed"] = training["seed"] = record["config"]["seed"] = seed
                    rate = 0.003 + variant / 10**6
                    training["train"]["learning_rate"] = record["config"]["train"]["learning_rate"] = rate
                    yield drawn(record, np.random.default_rng([variant, number, seed]))
        variant += 1


def drawn(record: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """The same record with other scores, and the names and the seal that belong to it."""
    record["slices"] = []
    reach = rng.uniform(1, 6)
    for row in record["scores"]:
        share = 1 / (1 + np.exp(4 * (row["length"] / record["train_length"] - reach)))
        row["exact"] = row["exact_given_length"] = int(rng.binomial(row["examples"], share))
        row["correct"] = max(int(rng.binomial(row["tokens"], 0.5 + share / 2)), row["exact"])
    training = record["science"]["training"]
    prefix = f"{training['task']['name']}-{training['encoding']['name']}-seed{record['seed']}"
    record["name"] = f"{prefix}-{identity.digest(record['science'])}"
    record["training_name"] = f"{prefix}-{identity.digest(training)}"
    record["seal"] = sealed_json.seal(record)
    return record


def page(folder: Path, count: int, seeds: int) -> Path:
    """Make the records and the page; print how long the page takes, and its size."""
    (folder / "records").mkdir(parents=True, exist_ok=True)
    for _, record in zip(range(count), records(seeds), strict=False):
        path = folder / "records" / f"{record['name']}.json"
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    found, rejected = collection.read([folder])
    path = folder / "page.html"
    start = time.perf_counter()
    writing.write(found, [folder], path)
    seconds, size = time.perf_counter() - start, path.stat().st_size
    print(f"{count} records, {len(rejected)} refused: written in {seconds:.1f} s, {size / 1000:.0f} kB", flush=True)
    return path


def measure(path: Path) -> None:
    """Print how long the page takes in Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.set_window_size(1280, 900)
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})  # to run scripts of ours in it
        driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        driver.get(path.absolute().as_uri())
        print(f"  loaded: {_milliseconds(driver):.0f} ms")
        for name, (action, before) in ACTIONS.items():
            taken = []
            for _ in range(TIMES):
                if before:
                    driver.execute_async_script(DRAWN, before.replace("{search}", SEARCH))
                start = _milliseconds(driver)
                driver.execute_async_script(DRAWN, action.replace("{search}", SEARCH))
                taken.append(_milliseconds(driver) - start)
            print(f"  {name}: {statistics.median(taken):.0f} ms, at most {max(taken):.0f}", flush=True)
    finally:
        driver.quit()


def _milliseconds(driver: webdriver.Chrome) -> float:
    """How long the page's main thread has worked."""
    metrics = {one["name"]: one["value"] for one in driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]}
    return 1000 * float(metrics["TaskDuration"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, default=3, help="with 1 every record is a cell of its own")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    for count in given.counts:
        with tempfile.TemporaryDirectory() as temporary:
            measure(page((given.folder or Path(temporary)) / str(count), count, given.seeds))


if __name__ == "__main__":
    main()
