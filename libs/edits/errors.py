"""How an edit fails."""

from typing import Literal


class EditError(Exception):
    """The model returned no image."""

    code = "edit_failed"

    def __init__(self, detail: str, *, not_run: bool = False, after_s: float = 0) -> None:
        super().__init__(detail)
        self.not_run = not_run  # the call certainly did not run and cost nothing: it may be made again
        self.after_s = after_s  # the vendor's Retry-After

    @property
    def outcome(self) -> Literal["transient", "permanent"]:
        """Whether the same job may succeed when it is run again."""
        return "transient" if self.not_run else "permanent"


class EditRejected(EditError):
    """The vendor refuses the prompt or the files, by moderation or by its limits; the text quotes it."""

    code = "edit_rejected"


class EditAuth(EditError):
    """The vendor does not accept the site's key, or not for this model."""

    code = "edit_auth"


class EditQuota(EditError):
    """The site's account at the vendor has no credit left."""

    code = "edit_quota"


class EditRateLimited(EditError):
    """The vendor limits the rate of this site's calls."""

    code = "edit_rate_limited"


class EditBadResponse(EditError):
    """The vendor's answer holds no usable image."""

    code = "edit_bad_response"


class EditTimedOut(EditError):
    """A call that may have run was not answered: it may have been paid for, so it is not made again."""

    code = "edit_timed_out"


class EditUnavailable(EditError):
    """The vendor cannot be reached, or has an error of its own."""

    code = "edit_unavailable"
