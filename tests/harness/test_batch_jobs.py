"""Which runs are one job of a batch system."""

from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from harness.config.schema import Origin
from harness.launch import batch_jobs
from harness.launch.cells import Cell
from harness.results.paths import RunPaths


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30), st.integers(1, 7))
def test_jobs_have_every_run_once_and_those_that_need_the_same_weights_together(
    folders: list[tuple[int, bool]], each: int
) -> None:
    """A number is a training; whoever goes on from another's weights goes on from those of the number below."""
    cells = []
    for number, (folder, further) in enumerate(folders):
        origin = Origin(record="results/records/before.json", training=f"t{folder - 1}") if further else None
        run = SimpleNamespace(weights_from=origin)
        name = f"{folder}-further" if further else f"t{folder}"
        paths = RunPaths(Path(f"results/records/{number}.json"), Path(f"results/runs/{name}"))
        cells.append(Cell([], run, paths))  # type: ignore[arg-type]
    jobs = batch_jobs.packed(cells, each)
    assert sorted(one.name for job in jobs for one in job) == sorted(one.name for one in cells)

    def weights(job: list[Cell]) -> set[Path]:
        needed = {one.paths.folder.absolute() for one in job} | {one.origin.folder for one in job if one.origin}
        return needed & {one.paths.folder.absolute() for one in cells}

    for job in jobs:
        assert all(weights(other).isdisjoint(weights(job)) for other in jobs if other is not job)
        roots = {
            one.origin.folder if one.origin and one.origin.folder in weights(job) else one.paths.folder.absolute()
            for one in job
        }
        assert len(job) <= each or len(roots) == 1
