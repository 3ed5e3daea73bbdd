"""Accounts and their tokens."""

from apps.api.openapi import error_groups as errors
from apps.api.openapi.described import Answer, Described, Media
from apps.api.openapi.headers import LISTED
from libs.contracts.views.accounts import (
    Account,
    Login,
    NewPassword,
    PasswordChange,
    PasswordConfirmation,
    RefreshRequest,
    Register,
    SessionView,
    Tokens,
    UsageView,
)
from libs.contracts.views.api_keys import ApiKeyRequest, ApiKeyView, NewApiKey
from libs.contracts.views.streams import EventTicket
from libs.runtime.threads import ServerBusy
from libs.storage import accounts, api_keys, passwords, refresh_tokens, sessions

REFRESH: errors.Errors = (*errors.TOKEN[1:], refresh_tokens.TokenError)
ZIP = Media("application/zip")
PAGE = Media("text/html", "<!doctype html>...")
RESET: errors.Errors = (*errors.TOKEN[1:], passwords.PasswordChanged)
KEY: errors.Errors = (api_keys.ApiKeyNotFound,)

OPERATIONS = {
    "registerAccount": Described(
        json=Register,
        answers={201: Answer("The new account", Account)},
        errors=(accounts.RegistrationClosed, accounts.UsernameTaken, accounts.EmailTaken, ServerBusy),
    ),
    "logIn": Described(
        json=Login,
        answers={200: Answer("The tokens of a new login", Tokens)},
        errors=(accounts.BadCredentials, ServerBusy),
    ),
    "refreshTokens": Described(
        json=RefreshRequest, answers={200: Answer("The new tokens", Tokens)}, errors=REFRESH
    ),
    "logOut": Described(
        json=RefreshRequest, answers={204: Answer("The login has ended")}, errors=errors.TOKEN[1:]
    ),
    "getAccount": Described(answers={200: Answer("The account", Account)}),
    "getUsage": Described(answers={200: Answer("What is used, and the limits", UsageView)}),
    "listSessions": Described(answers={200: Answer("The sessions", list[SessionView])}),
    "endSession": Described(
        answers={204: Answer("The session has ended")}, errors=(sessions.SessionNotFound, *errors.CHANGES)
    ),
    "exportAccount": Described(
        answers={200: Answer("A ZIP file", ZIP, ("Content-Disposition", "Cache-Control"))},
    ),
    "createExportTicket": Described(answers={201: Answer("The ticket", EventTicket)}),
    "createApiKey": Described(
        json=ApiKeyRequest,
        answers={201: Answer("The key, which no other answer shows", NewApiKey)},
        errors=(api_keys.TooManyApiKeys,),
    ),
    "listApiKeys": Described(answers={200: Answer("A page of keys", list[ApiKeyView], LISTED)}),
    "getApiKey": Described(answers={200: Answer("The key", ApiKeyView)}, errors=KEY),
    "revokeApiKey": Described(answers={204: Answer("The key is revoked")}, errors=(*KEY, *errors.CHANGES)),
    "deleteAccount": Described(
        json=PasswordConfirmation,
        answers={204: Answer("The account is deleted")},
        errors=(passwords.WrongPassword, ServerBusy, *errors.CHANGES),
    ),
    "changePassword": Described(
        json=PasswordChange,
        answers={204: Answer("The password is changed, and other logins have ended")},
        errors=(passwords.WrongPassword, passwords.PasswordChanged, ServerBusy),
    ),
    "showPasswordForm": Described(
        answers={200: Answer("A page with a form for the new password", PAGE)},
        errors=RESET,
    ),
    "resetPassword": Described(
        json=NewPassword,
        answers={
            200: Answer("A page, which answers a form", PAGE),
            204: Answer("The password is set"),
        },
        errors=(*RESET, ServerBusy),
    ),
}
