"""How an edit fails."""


class EditError(Exception):
    """A model made nothing of a wish."""

    code = "edit_failed"

    def __init__(self, detail: str, *, not_run: bool = False, after_s: float = 0) -> None:
        super().__init__(detail)
        self.not_run = not_run  # it surely neither ran nor cost anything: the same again may succeed
        self.after_s = after_s  # when the vendor wants to be asked again, at the earliest


class EditRejected(EditError):
    """The vendor refuses the wish or its pictures, by moderation or by its limits; the text has its words."""

    code = "edit_rejected"


class EditAuth(EditError):
    """The vendor does not accept the site's key, or not for this model."""

    code = "edit_auth"


class EditQuota(EditError):
    """The site's own account at the vendor has nothing left."""

    code = "edit_quota"


class EditRateLimited(EditError):
    """The vendor takes no more calls of the site for a while."""

    code = "edit_rate_limited"


class EditBadResponse(EditError):
    """The vendor's answer holds no usable image."""

    code = "edit_bad_response"


class EditTimedOut(EditError):
    """No answer came to a call that may have run: it may have been paid for, so it is never made again."""

    code = "edit_timed_out"


class EditUnavailable(EditError):
    """The vendor cannot be reached, or has an error of its own."""

    code = "edit_unavailable"
