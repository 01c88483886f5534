"""Telephone calls with a keypress as acknowledgement: the gateway calls the signed address back."""

from jiying.notices.channels import register
from jiying.notices.gateway import repeatable, send

register("voice", send, repeatable=repeatable, asks=True)
