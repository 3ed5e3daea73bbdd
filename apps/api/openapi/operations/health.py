"""Health checks."""

from apps.api.openapi.described import Answer, Described
from libs.contracts.views.health import Health, Liveness

OPERATIONS = {
    "checkLive": Described(answers={200: Answer("The process answers", Liveness)}),
    "checkReady": Described(
        answers={
            200: Answer("The process and its backends answer", Health),
            503: Answer("A backend does not answer", Health),
        }
    ),
}
