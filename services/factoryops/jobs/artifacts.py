"""The folder of artifacts: a file appears in it whole, under its final name, or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from factoryops.database.rows import ClaimedRun, NewArtifact
from factoryops.domain.errors import StorageError
from factoryops.domain.identity import ArtifactId, derived_id
from factoryops.jobs.orders import LeftFile
from factoryops.journal.failpoint import failpoint
from factoryops.observability.disk import sync_folder

_WORK: Final = ".work"
_PIECE_BYTES: Final = 1 << 20


class ArtifactStore:
    """Files at `<factory id>/<artifact id>`; what no row names is not visible to anybody."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear_work(self) -> None:
        """Remove what a worker that was killed left half done."""
        shutil.rmtree(self._folder / _WORK, ignore_errors=True)

    def work_folder(self, run: ClaimedRun) -> Path:
        """An empty folder for one attempt, on the disk the artifacts end on; files of earlier attempts go."""
        folder = self._folder / _WORK / f"{run.id}-{run.attempt}"
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot_write(self._folder, error) from error
        self._forget_earlier(run)
        return folder

    def _forget_earlier(self, run: ClaimedRun) -> None:
        """An attempt killed before its row was written left files that nobody knows of."""
        for attempt in range(1, run.attempt):
            for number in range(8):
                (self._folder / run.factory.id / _artifact_id(run, attempt, number)).unlink(missing_ok=True)

    def keep(self, run: ClaimedRun, work_folder: Path, files: Sequence[LeftFile]) -> list[NewArtifact]:
        """Put an attempt's files in their place: on disk first, then renamed.

        Raises:
            StorageError: the disk is full or the folder cannot be written; nothing was kept.
        """
        target = self._folder / run.factory.id
        kept: list[NewArtifact] = []
        try:
            target.mkdir(parents=True, exist_ok=True)
            for number, left in enumerate(files):
                kept.append(_keep_one(run, number, work_folder, left, target))
            sync_folder(target)
        except OSError as error:
            self.throw_away(run, kept)
            raise _cannot_write(self._folder, error) from error
        return kept

    def throw_away(self, run: ClaimedRun, artifacts: Iterable[NewArtifact]) -> None:
        """Remove files whose row was never written."""
        for artifact in artifacts:
            (self._folder / run.factory.id / artifact.id).unlink(missing_ok=True)


def _keep_one(run: ClaimedRun, number: int, work_folder: Path, left: LeftFile, target: Path) -> NewArtifact:
    source = work_folder / Path(left.file).name
    digest = hashlib.sha256()
    size = 0
    with source.open("rb+") as stream:
        while piece := stream.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
        os.fsync(stream.fileno())
    failpoint("report_before_rename")
    identity = _artifact_id(run, run.attempt, number)
    source.replace(target / identity)
    return NewArtifact(identity, left.name, left.media_type, size, digest.hexdigest())


def _artifact_id(run: ClaimedRun, attempt: int, number: int) -> ArtifactId:
    """Of the run's random id, and different in each attempt: a late loser never overwrites the winner's file."""
    return ArtifactId(derived_id(run.id, "artifact", str(attempt), str(number)))


def _cannot_write(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The result could not be written to {folder}: {error.strerror or error}. "
        "Free some space or correct the folder."
    )
