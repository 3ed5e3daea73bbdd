"""Upload tokens: `dut_<id>_<secret><checksum>`."""

from libs.auth.key_form import KeyForm

FORM = KeyForm("dut_")
