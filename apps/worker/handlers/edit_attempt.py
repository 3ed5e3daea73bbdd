"""One attempt at an edit job: its files, and the rows of its results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from apps.worker.worker_pool import WorkerPool
from libs.contracts.commands import EditImage
from libs.contracts.edits import EditNote
from libs.contracts.enums import ImageStatus, Retention
from libs.edits.model_call import ModelAnswer
from libs.images import artifact
from libs.images.artifact import Artifact
from libs.imaging.formats import FORMATS, FormatName, WrittenName, is_written
from libs.imaging.render_and_describe import DescribedResult
from libs.storage import edit_calls, image_descriptions, leases, object_keys
from libs.storage.database.tables import Image
from libs.storage.leases import Claim

NAMELESS = "image"  # the filename of an image that is made from a prompt alone


@dataclass(frozen=True)
class EditAttempt:
    """A claimed edit job."""

    command: EditImage
    source: Image | None  # None: images are made from the prompt alone
    claim: Claim
    pool: WorkerPool
    folder: Path  # for its files; removed at the end

    def result_path(self, number: int) -> Path:
        """Return where the finished file of result `number` (from 0) lies."""
        return self.folder / f"result-{number}"

    def result_format(self) -> WrittenName:
        """Return the requested format, else the source's; PNG where that has no transparency but must.

        JPEG stands for a source's format that is only read.
        """
        edit = self.command.edit
        if edit.format is not None:
            return edit.format
        source = cast("FormatName", self.source.format) if self.source else "png"
        own = source if is_written(source) else "jpeg"
        return own if edit.background != "transparent" or FORMATS[own].alpha else "png"

    def answer_format(self) -> FormatName:
        """Return the best format for the model's answer: the result's, or PNG if the answer is changed."""
        changed = self.command.edit.mask is not None or self.command.operations
        return "png" if changed else self.result_format()

    def result_row(self, number: int, finished: DescribedResult, answer: ModelAnswer) -> Image:
        """Build the row of result `number`; without a source the first result is the parent of the others."""
        command, claim, source, file = self.command, self.claim, self.source, finished.rendered
        image_id = command.targets[number]
        filename = source.filename if source else NAMELESS
        first = None if number == 0 else command.target
        described = image_descriptions.columns(finished.description, edit=self._note(number, answer))
        return artifact.new_image(
            file,
            image_id=image_id,
            owner=claim.owner,
            filename=filename,
            object_key=object_keys.object_key(
                command.owner,
                image_id,
                filename,
                file.extension,
                folder=object_keys.RESULTS,
                when=claim.created_at,
                attempt=claim.attempt,
            ),
            retention=Retention.KEEP if command.keep else Retention.EPHEMERAL,
            undownloaded_s=self.pool.backends.settings.expire_undownloaded_s,
            parent=source.id if source else first,
            expiry_group=source.expiry_group if source and command.shares_expiry else image_id,
            status=ImageStatus.READY,
            phash=described[Image.phash],
            hash_version=described[Image.hash_version],
            metadata=described[Image.metadata],
            has_alpha=described[Image.has_alpha],
            camera=described[Image.camera],
            blurhash=described[Image.blurhash],
        )

    async def store(self, results: Sequence[Image]) -> None:
        """Store the results and end the job; safe to repeat when a backend was away.

        Raises:
            LostLease: The job is no longer this worker's.
            StoreUnavailable, or the database's error: The same call may succeed later.
        """
        if await leases.ended_by(self.claim):
            return  # an earlier call was committed, though its answer was lost

        async def record() -> None:
            await edit_calls.complete(
                self.claim,
                self.source.id if self.source else None,
                results,
                shares_expiry=self.command.shares_expiry,
                downloaded_s=self.pool.backends.settings.expire_downloaded_s,
            )

        files = [
            Artifact(
                image=result,
                path=self.result_path(number),
                owner=self.command.owner,
                job_id=self.claim.job_id,
            )
            for number, result in enumerate(results)
        ]
        await artifact.store(files, record, self.pool.backends)

    def _note(self, number: int, answer: ModelAnswer) -> EditNote:
        edit = self.command.edit
        return EditNote(
            prompt=edit.prompt,
            model=answer.model,
            usage=answer.tokens,
            request_id=answer.request_id,
            job_id=self.command.job_id,
            source=self.source.id if self.source else None,
            mask=edit.mask,
            size=edit.size,
            quality=edit.quality,
            background=edit.background,
            revised_prompt=answer.images[number].revised_prompt,
        )
