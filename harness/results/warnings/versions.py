"""Records of several versions of the program, or of a task's data, in one table."""

from collections.abc import Iterator

from harness.results.warnings.warning import Tabled, Warned, listed


def several_programs(tabled: Tabled) -> Iterator[Warned]:
    """Tasks whose records were made by several versions or commits of the program."""
    for task, own in tabled.tasks():
        programs = own.harness.astype(object).where(own.harness.astype(object) != "", "unknown")
        commits = own.commit.astype(object).where(own.commit.astype(object) != "", "unknown").str[:8]
        for word, values in (("versions", programs), ("commits", commits)):
            different = sorted(set(values))
            if len(different) > 1:
                yield Warned(
                    "several programs",
                    task,
                    [],
                    f"records of {len(different)} {word} of the program: {listed(different)}",
                    "look in the changelog for what changed between them, or run all with one",
                )
                break


def several_data_versions(tabled: Tabled) -> Iterator[Warned]:
    """Tasks that are here with several versions of their data."""
    for task, own in tabled.questions("version", "fingerprint"):
        versions = sorted(set(own.task_version))
        if len(versions) > 1:
            yield Warned(
                "several versions of the data",
                task,
                [],
                f"versions {listed(versions)} of its data: they are other tasks under one name",
                "leave the older ones out",
            )
