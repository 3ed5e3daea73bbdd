"""Who may do what operators do: accounts marked `admin`, by a login."""

from typing import ClassVar

from libs.contracts.outcome import Outcome


class OperatorRequired(Exception):
    """Only operators of this server can do this: accounts that are marked `admin`."""

    code = "operator_required"
    outcome: ClassVar[Outcome] = "refused"


class SuperuserRequired(Exception):
    """Only operators marked `superuser` change accounts."""

    code = "superuser_required"
    outcome: ClassVar[Outcome] = "refused"


class OwnAccount(Exception):
    """Operators do not deactivate the account that they use, or they would lock themselves out."""

    code = "own_account"
    outcome: ClassVar[Outcome] = "refused"


class CheckUnderWay(Exception):
    """This process compares object store and database already, for another operator or page."""

    code = "consistency_check_under_way"
    outcome: ClassVar[Outcome] = "refused"
